"""Kubernetes API servers, read by plain HTTP: kubeconfig login as kubectl has it, raw JSON pages, no model objects.

The official client is not used at run time: importing it takes 0.4 to 0.8 seconds and its model objects are too slow for 10,000 pods.
It stands in the tests as the reference that the loader is held to.
"""
