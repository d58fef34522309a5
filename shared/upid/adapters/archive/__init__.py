"""Archives of a home: a directory, or one tar file."""
