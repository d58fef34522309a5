"""Routes of the models group."""
