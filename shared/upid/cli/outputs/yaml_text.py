"""YAML that every reader takes for the same values: text that YAML 1.1 or 1.2 would read as a number stands in quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

_BASE: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# PyYAML knows no number without a point before its exponent, and no octal of YAML 1.2; readers written in Go do.
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+|0[oxb][0-9a-fA-F_]+|\.[0-9]+)")


class _Dumper(_BASE):  # type: ignore[misc] # the class in C or the one in Python
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 PyYAML's signature
        """Write the same value twice rather than a reference."""
        return True


_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+.0123456789"))


def yaml_text(value: Any) -> str:
    """Return a value as a YAML document, keys in their order."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=160))


def render_yaml(document: Mapping[str, Any]) -> bytes:
    """Return a scan's document as YAML: the same as its JSON. Entries are written one by one, since PyYAML holds a tree of what it writes at once."""
    return "".join(_parts(document, "")).encode()


def _parts(document: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, value in document.items():
        if key not in {"recommendations", "clusters"} or not value:
            yield _indented(yaml_text({key: value}), indent)
            continue
        yield f"{indent}{key}:\n"
        for item in value:
            if key == "recommendations":
                yield _indented(yaml_text([item]), indent)
            else:
                # The first key of a cluster stands behind the dash.
                text = "".join(_parts(item, f"{indent}  "))
                yield f"{indent}- {text[len(indent) + 2 :]}"


def _indented(text: str, indent: str) -> str:
    return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True)) if indent else text
