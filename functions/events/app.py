"""The Chalice application of everything that is not HTTP. Its decorators say what calls a handler; `template.yaml` deploys them, and a test holds both to the same.

No logic depends on it: a handler that is called with its event does its work, by whomever it is called.
"""

from __future__ import annotations

from typing import Final

from chalice.app import Chalice

# Logs are the runtime's, and the process' environment is left as it is.
app: Final = Chalice("upid", configure_logs=False, env={})
