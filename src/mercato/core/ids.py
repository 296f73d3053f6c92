"""Typed ids that sort by the time they were made: a prefix and the 128 bits of a UUIDv7 (RFC 9562) as text.

    job_01k0a4m8v6f3xr1d9h5w2c7yqz     prefix, underscore, 26 letters of Crockford's base 32, lower case

Within one process each id is larger than the one before it, even within a millisecond and when the clock steps back.
A room declares one Kind per thing it names: `ORDERS = Kind("ord", OrderId)` where `OrderId = NewType("OrderId", str)`.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, NewType, TypeVar
from uuid import UUID

from mercato.core.errors import InvalidInput

LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26
_PAIRS = [first + second for first in LETTERS for second in LETTERS]
_SHIFTS = range(120, -1, -10)
_VALUE = {letter: value for value, letter in enumerate(LETTERS)}
_PREFIX = re.compile(r"[a-z]{2,8}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP_BITS, _TAIL_BITS = 32, 74
_POOL_OCTETS = 512

EventId = NewType("EventId", str)
JobId = NewType("JobId", str)
T = TypeVar("T", bound=str)


class _Sequence:
    """The last id of this process; the next one lies above it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millis = self._tail = 0
        self._random = b""

    def next(self) -> UUID:
        with self._lock:
            millis = time.time_ns() // 1_000_000
            if millis > self._millis:
                self._millis, self._tail = millis, self._bits(_TAIL_BITS - 1)
            else:
                # The step is random so that ids stay hard to guess.
                self._tail += 1 + self._bits(_STEP_BITS)
                if self._tail >> _TAIL_BITS:
                    self._millis, self._tail = self._millis + 1, self._bits(_TAIL_BITS - 1)
            high, low = self._tail >> 62, self._tail & ((1 << 62) - 1)
            return UUID(int=self._millis << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)

    def _bits(self, count: int) -> int:
        """Returns that many random bits; the system is asked for many at once, as asking costs more than using."""
        size = -(-count // 8)
        if len(self._random) < size:
            self._random = os.urandom(_POOL_OCTETS)
        taken, self._random = self._random[:size], self._random[size:]
        return int.from_bytes(taken) >> (size * 8 - count)

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]  # a forked child starts afresh, with a lock that nobody holds


_sequence = _Sequence()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_sequence.forget)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of id: its prefix and its type. `new` makes an id, `parse` checks one that came from outside."""

    prefix: str
    type: Callable[[str], T]

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise InvalidInput(f"id prefix was {self.prefix!r}", hint="use 2 to 8 lower-case letters")

    def new(self) -> T:
        """Returns an id that no other has, larger than all that this process made before."""
        return self.type(f"{self.prefix}_{encode(_sequence.next())}")

    def at(self, moment: datetime, tail: int = 0) -> T:
        """Returns the id of a moment; with a tail of 0 none that is made from then on sorts before it.

        The tail has 62 bits. What gives it gives ids of a past that is made up.
        """
        millis = (moment - _EPOCH) // timedelta(milliseconds=1)
        return self.type(f"{self.prefix}_{encode(UUID(int=millis << 80 | 0x7 << 76 | 0b10 << 62 | tail))}")

    def parse(self, text: str) -> T:
        """Returns the text as an id; InvalidInput where the prefix is another's or the rest is no UUIDv7."""
        start = f"{self.prefix}_"
        if not text.startswith(start):
            raise InvalidInput(f"id was {text!r}", hint=f"expected one that starts with {start!r}")
        if decode(text.removeprefix(start)).version != 7:
            raise InvalidInput(f"id was {text!r}, which carries no time", hint="copy the whole id")
        return self.type(text)


EVENTS = Kind("evt", EventId)
JOBS = Kind("job", JobId)


def made_at(text: str) -> datetime:
    """Returns when an id was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=decode(text.partition("_")[2]).int >> 80)


def encode(value: UUID) -> str:
    """Returns a UUID as 26 letters whose order as text is the order of the numbers."""
    number = value.int
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def decode(text: str) -> UUID:
    """Returns the UUID behind 26 letters; InvalidInput for any other text."""
    if len(text) != LENGTH or text[0] not in LETTERS[:8] or any(letter not in _VALUE for letter in text):
        raise InvalidInput(f"id text was {text!r}", hint=f"expected {LENGTH} of {LETTERS!r}, the first at most 7")
    number = 0
    for letter in text:
        number = number << 5 | _VALUE[letter]
    return UUID(int=number)
