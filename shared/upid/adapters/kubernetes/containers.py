"""A pod template's containers, reduced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upid.adapters.kubernetes.heap import heap_bytes
from upid.domain.inventory import Container, ContainerRole, Resources
from upid.domain.quantities import parse_quantity


def containers(spec: Mapping[str, Any]) -> tuple[Container, ...]:
    """Return the containers of a pod's spec, then its init containers; ValueError that names the container and the quantity that can't be read."""
    shared = _is_set(spec.get("resources") or {})
    mains = [_container(body, "main", shared) for body in spec.get("containers") or ()]
    inits = [
        _container(body, "sidecar" if body.get("restartPolicy") == "Always" else "init", shared)
        for body in spec.get("initContainers") or ()
    ]
    return (*mains, *inits)


def _is_set(resources: Mapping[str, Any]) -> bool:
    return bool(resources.get("requests") or resources.get("limits"))


def _container(body: Mapping[str, Any], role: ContainerRole, shares_pod: bool) -> Container:  # noqa: FBT001 the third of three
    name = str(body["name"])
    resources = body.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    try:
        # Where a limit stands alone, the API server gives the pods it as their request.
        figures = Resources(
            _quantity(limits | requests, "cpu"),
            _quantity(limits, "cpu"),
            _quantity(limits | requests, "memory"),
            _quantity(limits, "memory"),
        )
    except ValueError as error:
        raise ValueError(f"container {name}: {error}") from None
    declared = [port.get("containerPort") for port in body.get("ports") or () if isinstance(port, Mapping)]
    ports = tuple(port for port in declared if isinstance(port, int))
    image = str(body.get("image") or "")
    return Container(name=name, resources=figures, role=role, image=image, heap_bytes=heap_bytes(body), ports=ports, shares_pod=shares_pod)


def _quantity(figures: Mapping[str, Any], resource: str) -> float | None:
    text = figures.get(resource)
    return None if text is None else parse_quantity(text)
