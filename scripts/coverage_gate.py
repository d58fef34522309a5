"""Combine coverage data, print line and branch coverage, and fail below a share of lines: coverage_gate.py PERCENT."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import CoverageException, NoDataError


def main() -> int:
    """Return 0 where at least the wanted share of lines ran, 1 below it or without any data."""
    wanted = float(sys.argv[1])
    coverage = Coverage()
    coverage.load()  # what the test runner combined; what processes left behind after it is added
    try:
        coverage.combine(strict=True)
    except CoverageException:  # nothing was left behind, or only the torn files of processes that were killed
        coverage.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        try:
            coverage.json_report(outfile=str(report))
        except NoDataError:
            sys.stderr.write("no coverage data: did the tests run?\n")
            return 1
        found = json.loads(report.read_text(encoding="utf-8"))
    low = sorted(
        (file["summary"]["covered_lines"] / file["summary"]["num_statements"], name)
        for name, file in found["files"].items()
        if file["summary"]["num_statements"]
    )
    for share, name in low[:10]:
        if share < wanted / 100:
            sys.stdout.write(f"  {share:6.1%} of lines  {name}\n")
    totals = found["totals"]
    lines = 100 * totals["covered_lines"] / max(1, totals["num_statements"])
    branches = 100 * totals.get("covered_branches", 0) / max(1, totals.get("num_branches", 0))
    sys.stdout.write(f"coverage: {lines:.1f} % of lines, {branches:.1f} % of branches (at least {wanted:g} % of lines wanted)\n")
    return 0 if lines >= wanted else 1


if __name__ == "__main__":
    sys.exit(main())
