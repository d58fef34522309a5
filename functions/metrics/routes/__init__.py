"""Routes of the metrics group."""
