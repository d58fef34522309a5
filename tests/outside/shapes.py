"""A cluster of 1.34 as its API server lists it: sidecars, pods that are resized, leave, crash or wait, and fields that are not there."""

from __future__ import annotations

from pathlib import Path

import yaml

from outside.cluster import Cluster

UID = "0b0d9f3e-0000-4000-8000-000000000"


def cluster_of_shapes() -> Cluster:
    """Return the cluster of `shapes.yaml`."""
    made = Cluster()
    made.objects.update(yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text()))
    return made
