"""The clusters group: registration of clusters and their metrics sources."""
