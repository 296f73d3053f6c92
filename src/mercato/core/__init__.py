"""The words that every room uses: money, chains, ids, time, errors, events and settings. Nothing here does I/O.

Import the modules themselves, such as `from mercato.core.money import Amount`; this door names the few that nearly
every room needs. Only `core.settings` reads the environment, and only it imports pydantic when it is imported.
"""

from mercato.core.clock import Clock, SystemClock
from mercato.core.errors import Conflict, InvalidInput, MercatoError, NotFound, Refused, Terminal, Transient
from mercato.core.events import Event

__all__ = [
    "Clock",
    "Conflict",
    "Event",
    "InvalidInput",
    "MercatoError",
    "NotFound",
    "Refused",
    "SystemClock",
    "Terminal",
    "Transient",
]
