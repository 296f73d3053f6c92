"""What a worker of the gateway is told by whoever starts it: where its data is, and the settings as plain values.

Settings are read and checked by a library that would be a sixth of a worker's memory, and is not needed afterwards. So
the process that reads them becomes a worker, or starts some, and hands them over: by a file in memory without a name,
never by arguments or the environment, which others can see.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from mercato.core.errors import InvalidInput
from mercato.core.secret import Secret

if TYPE_CHECKING:
    from mercato.compute.settings import ComputeSettings


@dataclass(frozen=True, slots=True)
class Orders:
    """The data folder, the database's URL, and the room's settings; those that were read have the same names, and no
    methods."""

    home: Path
    url: str
    compute: ComputeSettings

    def hand(self) -> int:
        """Returns the handle of a new file that holds the orders, for programs that this process starts or becomes."""
        handle = _nameless(self.home)
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(json.dumps([str(self.home), self.url, _told(self.compute)]).encode())
        return handle

    @classmethod
    def read(cls, handle: int) -> Orders:
        """Returns the orders in a file, for others to read it too, now and later."""
        home, url, compute = json.loads(os.pread(handle, os.fstat(handle).st_size, 0))
        return cls(Path(home), url, _heard(compute))


def _nameless(home: Path) -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("orders")
    with tempfile.TemporaryFile(dir=home) as file:  # elsewhere it is on disk, beside the settings that it was read from
        return os.dup(file.fileno())


_HEARD: Mapping[str, Callable[[Any], Any]] = {
    "dict": lambda held: {name: _heard(each) for name, each in held.items()},
    "fields": lambda held: SimpleNamespace(**{name: _heard(each) for name, each in held.items()}),
    "secret": Secret,
    "set": lambda held: frozenset(map(_heard, held)),
    "tuple": lambda held: tuple(map(_heard, held)),
}


def _told(value: object) -> Any:
    """Returns a value as JSON; what JSON does not know has its kind beside it."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Secret):
        return {"secret": value.reveal()}
    if isinstance(value, Mapping):
        return {"dict": {name: _told(each) for name, each in value.items()}}
    if isinstance(value, tuple | frozenset):
        return {"tuple" if isinstance(value, tuple) else "set": [_told(each) for each in value]}
    if fields := getattr(type(value), "model_fields", None):
        return {"fields": {name: _told(getattr(value, name)) for name in fields}}
    raise InvalidInput(f"setting was {value!r:.80}, which cannot be handed over", hint="settings are text, numbers, "
                       "mappings, tuples and sets of them")  # fmt: skip


def _heard(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    return _HEARD[kind](held)
