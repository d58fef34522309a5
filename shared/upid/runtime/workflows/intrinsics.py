"""The intrinsic functions of the States Language, as the Step Functions developer guide defines them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import random
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

MOST_ITEMS: Final = 1000
MOST_CHARACTERS: Final = 10_000
_HASHES: Final = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}


class IntrinsicError(ValueError):
    """An intrinsic function cannot work with these arguments."""


def call(name: str, arguments: Sequence[Any], chance: random.Random) -> Any:
    """Return what a function gives; IntrinsicError where the arguments do not fit it."""
    try:
        if name in _BY_CHANCE:
            return _BY_CHANCE[name](chance, *arguments)
        return _PURE[name](*arguments)
    except (TypeError, ValueError, AttributeError) as error:
        raise IntrinsicError(str(error)) from error


def _format(template: str, *values: Any) -> str:
    """Fill a template as it stands in the expression, with the backslashes that make a brace only a brace."""
    left = list(values)

    def piece(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        if not left:
            raise IntrinsicError("there are fewer arguments than {}.")
        return _shown(left.pop(0))

    text = re.sub(r"\\(.)|\{\}", piece, template)
    if left:
        raise IntrinsicError("there are more arguments than {}.")
    return text


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        raise IntrinsicError("only texts, numbers, booleans and null can be formatted.")
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IntrinsicError(f"{value!r} is no number.")
    return math.floor(value + 0.5)


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise IntrinsicError("an array is expected.")
    return value


def _partition(array: Any, size: Any) -> list[Any]:
    step, items = _whole(size), _array(array)
    if step < 1:
        raise IntrinsicError("the size of a part must be positive.")
    return [items[at : at + step] for at in range(0, len(items), step)]


def _range(first: Any, last: Any, step: Any) -> list[int]:
    start, end, by = _whole(first), _whole(last), _whole(step)
    if by == 0:
        raise IntrinsicError("the step cannot be 0.")
    values = range(start, end + (1 if by > 0 else -1), by)
    if len(values) > MOST_ITEMS:
        raise IntrinsicError(f"a range holds at most {MOST_ITEMS} items.")
    return list(values)


def _item(array: Any, position: Any) -> Any:
    items, at = _array(array), _whole(position)
    if not 0 <= at < len(items):
        raise IntrinsicError(f"there is no item {at} of {len(items)}.")
    return items[at]


def _same(left: Any, right: Any) -> bool:
    return bool(orjson.dumps(left, option=orjson.OPT_SORT_KEYS) == orjson.dumps(right, option=orjson.OPT_SORT_KEYS))


def _unique(array: Any) -> list[Any]:
    return list({orjson.dumps(item, option=orjson.OPT_SORT_KEYS): item for item in _array(array)}.values())


def _encode(text: str) -> str:
    return base64.b64encode(_short(text).encode()).decode()


def _decode(text: str) -> str:
    try:
        return base64.b64decode(_short(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise IntrinsicError("the text is no base64 of a text.") from error


def _short(text: str) -> str:
    if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
        raise IntrinsicError(f"a text of at most {MOST_CHARACTERS} characters is expected.")
    return text


def _hash(data: Any, algorithm: str) -> str:
    if algorithm not in _HASHES:
        raise IntrinsicError(f"{algorithm!r} is none of {', '.join(_HASHES)}.")
    text = data if isinstance(data, str) else orjson.dumps(data).decode()
    return hashlib.new(_HASHES[algorithm], _short(text).encode(), usedforsecurity=False).hexdigest()


def _merge(left: Mapping[str, Any], right: Mapping[str, Any], deep: Any) -> dict[str, Any]:
    if deep is not False:
        raise IntrinsicError("only a shallow merge is known: the third argument must be false.")
    return {**left, **right}


def _split(text: str, separators: str) -> list[str]:
    return [part for part in re.split(f"[{re.escape(separators)}]", text) if part] if separators else [text]


def _random(chance: random.Random, start: Any, end: Any, seed: Any = None) -> int:
    source = chance if seed is None else random.Random(_whole(seed))  # noqa: S311 a number of a workflow, no secret
    return source.randrange(_whole(start), _whole(end))


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


_BY_CHANCE: Final[Mapping[str, Callable[..., Any]]] = {"States.MathRandom": _random, "States.UUID": _uuid}
_PURE: Final[Mapping[str, Callable[..., Any]]] = {
    "States.Format": _format,
    "States.StringToJson": orjson.loads,
    "States.JsonToString": lambda value: orjson.dumps(value).decode(),
    "States.Array": lambda *values: list(values),
    "States.ArrayPartition": _partition,
    "States.ArrayContains": lambda array, value: any(_same(item, value) for item in _array(array)),
    "States.ArrayRange": _range,
    "States.ArrayGetItem": _item,
    "States.ArrayLength": lambda array: len(_array(array)),
    "States.ArrayUnique": _unique,
    "States.Base64Encode": _encode,
    "States.Base64Decode": _decode,
    "States.Hash": _hash,
    "States.JsonMerge": _merge,
    "States.MathAdd": lambda left, right: _whole(left) + _whole(right),
    "States.StringSplit": _split,
}
ARITY: Final[Mapping[str, tuple[float, float]]] = {
    "States.Format": (1, math.inf), "States.StringToJson": (1, 1), "States.JsonToString": (1, 1), "States.Array": (0, math.inf),
    "States.ArrayPartition": (2, 2), "States.ArrayContains": (2, 2), "States.ArrayRange": (3, 3), "States.ArrayGetItem": (2, 2),
    "States.ArrayLength": (1, 1), "States.ArrayUnique": (1, 1), "States.Base64Encode": (1, 1), "States.Base64Decode": (1, 1),
    "States.Hash": (2, 2), "States.JsonMerge": (3, 3), "States.MathAdd": (2, 2), "States.StringSplit": (2, 2),
    "States.MathRandom": (2, 3), "States.UUID": (0, 0),
}  # fmt: skip
