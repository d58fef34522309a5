"""No function pays for boto3 before it talks to AWS. (Powertools imports the bare package botocore, which takes a millisecond.)"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FUNCTIONS = sorted(
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
    for path in [*ROOT.glob("functions/*/app.py"), *ROOT.glob("functions/events/[a-z]*.py")]
)


def test_importing_every_function_loads_no_client_of_aws() -> None:
    text = f"import sys, {', '.join(FUNCTIONS)}; print([name for name in ('boto3', 'botocore.client', 'botocore.session') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(FUNCTIONS) > 10
    assert done.stdout.strip() == "[]"
