"""The Prometheus HTTP API of the demo cluster, over the part of PromQL that clients of container metrics ask."""
