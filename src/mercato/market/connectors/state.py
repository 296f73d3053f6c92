"""What is remembered of a source between runs: one JSON document per name, kept by whoever implements Notebook."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Protocol


class Notebook(Protocol):
    """Keeps one JSON object per name; a saved value survives the process."""

    def load(self, name: str) -> Mapping[str, Any]:
        """Returns what was saved under that name, or an empty mapping."""
        ...

    def save(self, name: str, value: Mapping[str, Any]) -> None:
        """Replaces what is kept under that name."""
        ...


class MemoryNotebook:
    """A Notebook that lives as long as the object: for tests and one-off runs."""

    def __init__(self) -> None:
        self._kept: dict[str, Mapping[str, Any]] = {}

    def load(self, name: str) -> Mapping[str, Any]:
        """Returns what was saved under that name, or an empty mapping."""
        return copy.deepcopy(self._kept.get(name, {}))

    def save(self, name: str, value: Mapping[str, Any]) -> None:
        """Replaces what is kept under that name."""
        self._kept[name] = copy.deepcopy(value)
