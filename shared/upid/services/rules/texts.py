"""Text constants of expressions."""

from __future__ import annotations

import re
from typing import Final

from upid.services.rules.faults import Position, refuse

_PLAIN: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "`": "`",
    "?": "?",
}
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))", re.DOTALL)


def text_of(literal: str, position: Position) -> str:
    """Return the text that a literal stands for; ExpressionError for an escape that there is not."""
    raw = literal[0] in "rR"
    body = literal[1:] if raw else literal
    quotes = 3 if body[:3] in {'"""', "'''"} and len(body) >= 6 else 1
    body = body[quotes:-quotes]
    return body if raw else _ESCAPE.sub(lambda match: _meaning(match, position), body)


def _meaning(match: re.Match[str], position: Position) -> str:
    two, four, eight, octal, plain = match.groups()
    number = int(octal, 8) if octal else int(two or four or eight or "0", 16)
    if plain is None and (number > 0x10FFFF or 0xD800 <= number < 0xE000):
        raise refuse("syntax", f"{match.group()} is no character.", position)
    if plain is None:
        return chr(number)
    if plain not in _PLAIN:
        raise refuse("syntax", f"There is no escape {match.group()}.", position)
    return _PLAIN[plain]
