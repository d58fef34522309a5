"""Routes of the rules group, by noun."""
