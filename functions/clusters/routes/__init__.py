"""Routes of the clusters group."""
