"""What a cold start costs in Python: import time and memory of each function in fresh processes. Prints JSON with medians.

python benchmarks/lambda_cold.py [--repeat 5]

Each process imports the function's module as Lambda does; API groups build their routes too, as the first request would. `heaviest` are the packages
that take most of the import by themselves, from `python -X importtime`. The goal of time is held against the least processor time of all runs: what
else runs on the machine is not a function's fault.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from typing import Any, Final

from upid.runtime.template import Function, Template

GROUP_SECONDS: Final = 0.4
GROUP_BYTES: Final = 128 * 1024 * 1024
COLD: Final = """
import json, sys, time
began, used = time.perf_counter(), time.process_time()
import importlib
module = importlib.import_module(sys.argv[1])
getattr(module, "api", lambda: None)()
took, used = time.perf_counter() - began, time.process_time() - used
import resource
print(json.dumps([took, used, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "numpy" in sys.modules]))
"""


def main() -> None:
    """Measure every function of the template and say whether the API groups keep to their goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    template = Template.load()
    groups = {route.function.name for route in template.routes}
    found = {name: measured(function, repeat) for name, function in sorted(template.functions.items())}
    slow = sorted(
        name for name in groups if found[name]["import_cpu_seconds"] > GROUP_SECONDS or found[name]["resident_bytes"] > GROUP_BYTES
    )
    goals = {"groups_import_seconds": GROUP_SECONDS, "groups_resident_bytes": GROUP_BYTES, "missed_by": slow}
    print(json.dumps({"python": sys.version.split()[0], "repeat": repeat, "goals": goals, "functions": found}, indent=2))


def measured(function: Function, repeat: int) -> dict[str, Any]:
    """Return the medians of one function over `repeat` fresh processes."""
    runs = [json.loads(_run(["-c", COLD, function.module]).stdout) for _ in range(repeat)]
    seconds, used, resident, numpy = (list(column) for column in zip(*runs, strict=True))
    return {
        "import_seconds": round(statistics.median(seconds), 3),
        "import_cpu_seconds": round(min(used), 3),
        "resident_bytes": int(statistics.median(resident)),
        "numpy": any(numpy),
        "heaviest": heaviest(_run(["-X", "importtime", "-c", COLD, function.module]).stderr),
    }


def heaviest(report: str, most: int = 3) -> dict[str, float]:
    """Return the packages with most seconds of their own in a report of `-X importtime`."""
    own: Counter[str] = Counter()
    for line in report.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and len(parts) == 3 and parts[0].strip().isdigit():
            own[parts[2].strip().split(".")[0]] += int(parts[0])
    return {name: round(microseconds / 1e6, 3) for name, microseconds in own.most_common(most)}


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=120, env=environment)


if __name__ == "__main__":
    main()
