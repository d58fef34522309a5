"""The API groups beside this one, found as the folders that they are."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

import functions
from upid.http.api import Api
from upid.http.openapi import as_text, document, problems_page


@cache
def apis() -> dict[str, Api]:
    """Return every group's API by the folder's name, sorted."""
    names = sorted(module.name for module in pkgutil.iter_modules(functions.__path__) if module.ispkg)
    found = {name: getattr(importlib.import_module(f"functions.{name}.app"), "api", None) for name in names if _has_app(name)}
    return {name: api() for name, api in found.items() if api is not None}


@cache
def openapi_text() -> str:
    """Return the OpenAPI document of all groups, made once per process."""
    return as_text(document(apis().values()))


def problems_text() -> str:
    """Return the table of problems of all groups."""
    return problems_page(apis().values())


def _has_app(name: str) -> bool:
    return any(module.name == "app" for module in _modules(name))


def _modules(name: str) -> Iterator[pkgutil.ModuleInfo]:
    yield from pkgutil.iter_modules([f"{path}/{name}" for path in functions.__path__])
