"""UPID: what every Kubernetes workload really needs, proven, rolled out step by step and taken back when it hurts."""

__version__ = "0.1.0"
