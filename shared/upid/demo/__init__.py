"""The demo cluster: a simulated Kubernetes API (read side) and Prometheus HTTP API on loopback, so that the very client code of real clusters is exercised.

Nothing is stored. Which workloads, pods and container runs there are follows from a seed, a size and an anchor in time; what each uses at a moment is a
pure function of the run and the moment. So history before the start exists, and the next start sees the same cluster.
"""
