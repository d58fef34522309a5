"""Records and the event store in one SQLite file."""
