"""What the services need from outside: one protocol per file, the documentation of every adapter behind it."""
