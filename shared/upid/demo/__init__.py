"""The demo cluster: a simulated Kubernetes API and Prometheus, served on loopback."""
