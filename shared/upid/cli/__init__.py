"""The `upid` program."""
