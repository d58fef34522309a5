"""Write what is made from the built-in rules: their reference, docs/rules.md, and their parsed conditions, which an analysis reads."""

from __future__ import annotations

import sys
from pathlib import Path

from upid.services.rules.reference import built_in_trees, reference

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Write both and return 0."""
    for path, text in ((ROOT / "docs/rules.md", reference()), (ROOT / "shared/upid/services/rules/builtin_trees.json", built_in_trees())):
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
