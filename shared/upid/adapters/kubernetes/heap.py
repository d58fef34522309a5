"""The heap that a container's command line or environment tells its runtime to use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

UNIT: Final = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
JAVA: Final = re.compile(r"(?:^|[\s\"'])(?:-Xmx|-XX:MaxHeapSize=)(\d+)([kmgt]?)(?=$|[\s\"'])", re.IGNORECASE)
NODE: Final = re.compile(r"--max[-_]old[-_]space[-_]size[= ](\d+)")
GO: Final = re.compile(r"(\d+)(?:([KMGT])iB|B)?")
REFERENCE: Final = re.compile(r"\$\(([A-Za-z_][\w.-]*)\)")


def heap_bytes(container: Mapping[str, Any]) -> float | None:
    """Return the largest heap that is told, in bytes: -Xmx, -XX:MaxHeapSize, GOMEMLIMIT, --max-old-space-size.

    `$(NAME)` stands for an environment variable as in Kubernetes. Of several -Xmx in one text the last holds, as in the JVM. None where none is told.
    """
    told = list(_told(container))
    return max(told) if told else None


def _told(container: Mapping[str, Any]) -> Iterator[float]:
    variables = {
        str(e.get("name")): e["value"] for e in container.get("env") or () if isinstance(e, dict) and isinstance(e.get("value"), str)
    }
    words = [word for key in ("command", "args") for word in container.get(key) or () if isinstance(word, str)]
    for text in (" ".join(words), *variables.values()):
        if "-X" not in text and "old" not in text and "$(" not in text:
            continue
        whole = REFERENCE.sub(lambda found: variables.get(found[1], found[0]), text)
        java = JAVA.findall(whole)
        if java:
            yield float(int(java[-1][0]) * UNIT[java[-1][1].lower()])
        node = NODE.findall(whole)
        if node:
            yield float(int(node[-1]) * 2**20)
    limit = GO.fullmatch(variables.get("GOMEMLIMIT", "").strip())
    if limit:
        yield float(int(limit[1]) * UNIT[(limit[2] or "").lower()])
