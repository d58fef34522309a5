"""Values that are out of the ordinary, and the events they belong to."""
