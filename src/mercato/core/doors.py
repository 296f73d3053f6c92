"""Doors that import what they offer when it is first used, so that a light command does not wait for heavy libraries.

_HOMES = {"Store": "engine", "migrate": "history"}
__getattr__ = _lazily(__name__, _HOMES)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Returns a package's `__getattr__`; `homes` names the module of the package that each name lives in."""

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
