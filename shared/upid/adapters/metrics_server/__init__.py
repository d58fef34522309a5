"""The metrics source over metrics-server (`metrics.k8s.io`), through a cluster's own API server."""
