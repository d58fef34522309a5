"""Draw the tables of a scan as SVG: picture.py SCAN.json OUT.svg [ROWS]. The containers that save or cost most are shown, and all that changes beside them."""

from __future__ import annotations

import json
import re
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from upid.cli.table import render

WIDTH = 170


def main() -> int:
    """Write the picture and return 0."""
    document = json.loads(Path(sys.argv[1]).read_bytes())
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else 14
    changing = [entry for entry in document["recommendations"] if entry["status"] == "recommended"]
    changing.sort(key=lambda entry: -abs(entry["savings_usd_per_month"] or 0.0))
    every = document["recommendations"]
    document["recommendations"] = sorted(changing[:rows], key=lambda entry: -(entry["savings_usd_per_month"] or 0.0))
    console = Console(record=True, width=WIDTH, file=StringIO())
    console.print(Text.from_ansi(render(document, WIDTH, color=True, beside=every)))
    svg = console.export_svg(title="upid scan", unique_id="upid")
    # Fonts from another host would make the picture depend on the network.
    svg = re.sub(r"\s*@font-face \{.*?\}\n", "\n", svg, flags=re.DOTALL)
    Path(sys.argv[2]).write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
