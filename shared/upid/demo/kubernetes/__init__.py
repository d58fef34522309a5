"""The read side of the demo cluster's Kubernetes API."""
