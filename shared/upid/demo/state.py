"""What the next start must know to serve the same demo cluster: a small file in the data folder."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import orjson

from upid.demo.server import Identity


@dataclass(frozen=True, slots=True)
class DemoState:
    """The identity of a demo cluster, and the port that it was served on last."""

    token: str = field(repr=False)
    anchor: int
    port: int
    seed: int = 7
    pods: int = 150

    @property
    def identity(self) -> Identity:
        """What the cluster follows from."""
        return Identity(self.token, self.anchor, self.seed, self.pods)


def read_state(path: Path) -> DemoState | None:
    """Return the state that a file holds; None where there is no such file, or none that can be used."""
    try:
        document = orjson.loads(path.read_bytes())
        return DemoState(**{each.name: type_of(document[each.name]) for each in fields(DemoState) for type_of in (_TYPES[each.name],)})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_state(path: Path, state: DemoState) -> None:
    """Write the state for this user's eyes only, whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps(asdict(state), option=orjson.OPT_INDENT_2))
    part.replace(path)


_TYPES = {"token": str, "anchor": int, "port": int, "seed": int, "pods": int}
