"""Tiny real HTTP servers that play the systems around the product: a Kubernetes API and a Prometheus API, well-behaved or hostile."""
