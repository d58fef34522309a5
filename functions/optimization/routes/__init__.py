"""Routes of the optimization group, by noun."""
