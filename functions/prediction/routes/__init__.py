"""Routes of the prediction group, by noun."""
