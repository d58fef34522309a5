"""Seasons: whether there is one, how long it is, what it looks like."""
