"""The kill switch, at three levels: the platform, an account, a key. While one is on, nothing is reserved below it.

It is read in the transaction that reserves, or known there not to have been turned since it was read, so nothing begins
after it was turned on. Each turn raises its generation; what runs already learns of it by `desk.stopped`, at the latest
with the next transaction of its worker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from mercato.compute.books.till import Till
from mercato.compute.books.words import micros, moment
from mercato.core.errors import InvalidInput
from mercato.store.bare import Bare

PLATFORM = "platform"
_SCOPE = re.compile(r"platform|(account|key):.{1,120}")
_SEEN = "scope, stopped, generation, at_us, turned_by, why"


@dataclass(frozen=True, slots=True)
class Switch:
    """A kill switch: whether it is on, how often it was turned, by whom, and why."""

    scope: str
    stopped: bool
    generation: int
    at: datetime
    by: str
    why: str


def turn(till: Till, scope: str, *, on: bool, by: str, why: str = "") -> Switch:
    """Turns a kill switch, `platform`, `account:NAME` or `key:ID`; leaves one that stands so already."""
    if not _SCOPE.fullmatch(scope):
        raise InvalidInput(f"scope was {scope!r:.130}", hint="expected platform, account:NAME or key:ID")
    with till.writing() as pen:
        found = next((item for item in switches(pen.bare) if item.scope == scope), None)
        if (found.stopped if found else False) is on:
            return found or Switch(scope, on, 0, pen.at, by, why)
        made = Switch(scope, on, (found.generation if found else 0) + 1, pen.at, by[:120], why[:500])
        row = (scope, on, made.generation, micros(pen.at), made.by, made.why)
        tail = """ON CONFLICT (scope) DO UPDATE SET stopped = excluded.stopped, generation = excluded.generation,
            at_us = excluded.at_us, turned_by = excluded.turned_by, why = excluded.why"""
        pen.bare.many(f"INSERT INTO compute_switch ({_SEEN})", [row], tail)
        pen.write("switched", {"scope": scope, "on": on, "generation": made.generation, "by": by, "why": why[:500]})
        return made


def switches(bare: Bare) -> list[Switch]:
    """Returns every switch that was ever turned."""
    rows = bare.run(f"SELECT {_SEEN} FROM compute_switch ORDER BY scope")  # noqa: S608  # our own names
    return [Switch(row[0], bool(row[1]), row[2], moment(row[3]), row[4], row[5]) for row in rows]
