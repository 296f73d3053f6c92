"""What happened, as values: frozen, named in the past tense, with an id, a time and the room that says so.

A room declares its events in model.py, and changes them by adding fields with defaults only:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class TokenLaunched(Event):
        room: ClassVar[str] = "launch"
        token: str
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, TypeAlias, Union

from mercato.core.clock import utc
from mercato.core.errors import InvalidInput
from mercato.core.ids import EVENTS, EventId

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]
EXACT = 2**53  # integers beyond this change when a browser reads them


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The base of every event. Handlers may see one twice, and use `id` as their key."""

    room: ClassVar[str] = ""

    id: EventId = field(default_factory=EVENTS.new)
    time: datetime

    def __post_init__(self) -> None:
        if not self.room:
            raise InvalidInput(f"event {type(self).__name__!r} names no room", hint='declare room: ClassVar[str] = "…"')
        object.__setattr__(self, "time", utc(self.time))

    @property
    def name(self) -> str:
        """Returns the name by which handlers subscribe, such as `launch.TokenLaunched`."""
        return f"{self.room}.{type(self).__name__}"

    def body(self) -> dict[str, Json]:
        """Returns the event's own fields as JSON values; times as ISO text. InvalidInput for what JSON would change."""
        own = [item.name for item in dataclasses.fields(self) if item.name not in {"id", "time"}]
        return {name: as_json(getattr(self, name)) for name in own}


def as_json(value: object) -> Json:
    """Returns a value as JSON: dates as ISO text, tuples as lists; integers past 2**53 must be text already."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) > EXACT:
            raise InvalidInput(f"integer was {value!r}, which readers of JSON would round", hint="carry it as text")
        return value
    if isinstance(value, float):
        if value - value != 0:
            raise InvalidInput(f"number was {value!r}", hint="JSON has finite numbers only")
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [as_json(item) for item in (sorted(value) if isinstance(value, frozenset | set) else value)]
    raise InvalidInput(f"value was {value!r}, which is no JSON", hint="use text, numbers, times, lists and mappings")
