from __future__ import annotations

from typing import Any

import pytest

from upid.adapters.kubernetes.heap import heap_bytes

MIB = 2**20


def env(**values: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value} for name, value in values.items()]}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"command": ["java", "-Xmx512m", "-jar", "a.jar"]}, 512 * MIB),
        ({"args": ["-Xms64m", "-Xmx2G"]}, 2048 * MIB),
        ({"command": ["sh", "-c", "exec java -Xmx1g -Xmx768m -jar a.jar"]}, 768 * MIB),
        ({"command": ["java", "-XX:MaxHeapSize=1073741824"]}, 1024 * MIB),
        (env(JAVA_TOOL_OPTIONS="-XX:+UseG1GC -Xmx300m"), 300 * MIB),
        (env(HEAP="400m", JAVA_OPTS="-Xmx$(HEAP)"), 400 * MIB),
        ({"args": ["-Xmx$(HEAP)"]} | env(HEAP="100m"), 100 * MIB),
        (env(GOMEMLIMIT="900MiB"), 900 * MIB),
        (env(GOMEMLIMIT="1GiB"), 1024 * MIB),
        (env(GOMEMLIMIT="1000000"), 1_000_000),
        (env(GOMEMLIMIT="5B"), 5),
        (env(NODE_OPTIONS="--max-old-space-size=4096"), 4096 * MIB),
        ({"command": ["node", "--max_old_space_size", "256", "x.js"]}, 256 * MIB),
        (env(JAVA_OPTS="-Xmx100m", NODE_OPTIONS="--max-old-space-size=200"), 200 * MIB),
    ],
)
def test_the_heap_that_is_told_is_read(container: dict[str, Any], expected: float) -> None:
    assert heap_bytes(container) == expected


@pytest.mark.parametrize(
    "container",
    [
        {}, {"command": None, "env": None}, {"command": ["java", "-Xms64m"]}, {"args": ["-Xmxbig"]}, {"args": ["-Xmx1gx"]}, env(GOMEMLIMIT="off"),
        env(GOMEMLIMIT="10GB"), env(JAVA_OPTS="-Xmx$(UNKNOWN)"), {"env": [{"name": "JAVA_OPTS", "valueFrom": {"secretKeyRef": {}}}]}, {"command": [1, {}]},
    ],
)  # fmt: skip
def test_no_heap_is_made_up_where_none_is_told(container: dict[str, Any]) -> None:
    assert heap_bytes(container) is None
