"""Explanations: a text with features in braces."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from upid.engine.rules.catalogue import BY_NAME
from upid.services.rules.faults import Fault, Position

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


def placeholders(template: str) -> list[str]:
    """Return the features that a template names, in order."""
    return [name.strip() for name in _PLACEHOLDER.findall(template)]


def template_faults(template: str) -> list[Fault]:
    """Return a fault for each name in braces that is no feature."""
    return [
        Fault("unknown_placeholder", f"There is no feature {match[1][:60]!r}.", Position(1, match.start() + 1))
        for match in _PLACEHOLDER.finditer(template)
        if match[1].strip() not in BY_NAME
    ]


def explained(template: str, value_of: Callable[[str], Any]) -> str:
    """Return the text with each feature's value, `unknown` where it is missing."""
    return _PLACEHOLDER.sub(lambda match: _shown(value_of(match[1].strip())), template)


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1e6 else f"{value:.0f}" if isinstance(value, float) else str(value)
