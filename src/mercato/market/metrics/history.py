"""Monthly histories of projects and organisations, from git and from imported counts, in one shape (M13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import ibis

from mercato.market.metrics import commits as git
from mercato.market.metrics.base import Inputs
from mercato.market.metrics.counts import imported
from mercato.market.metrics.kernels.trend import Trend, trend
from mercato.store.analytics import Engine

Basis = Literal["git", "imported"]


@dataclass(frozen=True, slots=True)
class Month:
    """One month of one history. None is unknown, which is not zero."""

    month: str
    commits: int | None
    developers: int | None
    ai_commits: int | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The months of one owner in order, on one basis."""

    owner: str
    kind: git.Group
    basis: Basis
    months: tuple[Month, ...]

    @property
    def dims(self) -> dict[str, str]:
        """Returns the dimensions of this history's figures."""
        return {self.kind: self.owner, "basis": self.basis}


def calendar(first: str, last: str) -> list[str]:
    """Returns every month from `first` to `last`, both YYYY-MM and included."""
    start, end = (int(text[:4]) * 12 + int(text[5:]) - 1 for text in (first, last))
    return [f"{index // 12:04d}-{index % 12 + 1:02d}" for index in range(start, end + 1)]


def last_full_month(as_of: date) -> str:
    """Returns the last month that has ended by the close of `as_of`."""
    after = as_of + timedelta(days=1)
    return (after.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


def from_git(engine: Engine, work: ibis.Table, kind: git.Group) -> list[History]:
    """Returns histories of human commits. A month without commits between two with some is a true zero."""
    found: dict[str, dict[str, Month]] = {}
    for row in engine.rows(git.monthly(work)):
        item = Month(str(row["month"]), _int(row["commits"]), _int(row["developers"]), _int(row["ai_commits"]))
        found.setdefault(str(row["owner"]), {})[item.month] = item
    return [
        History(owner, kind, "git", tuple(got.get(m, Month(m, 0, 0, 0)) for m in calendar(min(got), max(got))))
        for owner, got in sorted(found.items())
    ]


def from_import(inputs: Inputs, as_of: date) -> list[History]:
    """Returns histories of imported counts. A month without a row is unknown and is not in the history."""
    found: dict[str, list[Month]] = {}
    rows = inputs.engine.rows(imported(inputs.curated, as_of))
    for row in sorted(rows, key=lambda row: (str(row["owner"]), str(row["month"]))):
        known, sources = _int(row["rows"]), _int(row["sources"])
        differ = bool((sources or 0) > 1 and float(str(row["spread"] or 0)) > 0)
        flags = ("sources-differ",) if differ else ()
        commits = _int(row["commits"]) if known else None
        found.setdefault(str(row["owner"]), []).append(
            Month(str(row["month"]), commits, _int(row["developers"]), None, flags)
        )
    return [History(owner, "project", "imported", tuple(months)) for owner, months in found.items()]


def by_organisation(histories: Iterable[History]) -> list[History]:
    """Returns imported histories added up by organisation: the part of `dev:org/name` between colon and slash.

    Counts cannot be made unique across projects, which is why a sum of several carries the flag `not-deduplicated`,
    and developers stay unknown.
    """
    groups: dict[str, list[History]] = {}
    for history in histories:
        name = history.owner.partition(":")[2] or history.owner
        groups.setdefault(name.split("/")[0].strip().lower(), []).append(history)
    return [History(owner, "organisation", "imported", _added(group)) for owner, group in sorted(groups.items())]


def _added(group: Sequence[History]) -> tuple[Month, ...]:
    by_month: dict[str, list[Month]] = {}
    for month in (month for history in group for month in history.months):
        by_month.setdefault(month.month, []).append(month)
    flags = ("not-deduplicated",) if len(group) > 1 else ()
    return tuple(
        Month(
            name,
            sum(part.commits or 0 for part in parts),
            parts[0].developers if len(group) == 1 else None,
            None,
            flags,
        )
        for name, parts in sorted(by_month.items())
    )


def full(history: History, as_of: date, longest: int) -> list[Month]:
    """Returns the full months with known commits among the `longest` calendar months before `as_of`."""
    last = last_full_month(as_of)
    year, month = int(last[:4]), int(last[5:])
    index = year * 12 + month - longest
    first = f"{index // 12:04d}-{index % 12 + 1:02d}"
    return [item for item in history.months if first <= item.month <= last and item.commits is not None]


def direction(months: Sequence[Month]) -> Trend:
    """Returns the trend of monthly commits at their true calendar distance, so that gaps do not steepen it."""
    if not months:
        return trend([])
    at = {name: place for place, name in enumerate(calendar(months[0].month, months[-1].month))}
    return trend([float(item.commits or 0) for item in months], positions=[float(at[item.month]) for item in months])


def windows(engine: Engine, work: ibis.Table, as_of: date) -> Mapping[str, list[tuple[int, int]]]:
    """Returns per owner the (active, full-time) identities of the three windows, 0 where an owner had nobody."""
    owners = {str(row["owner"]) for row in engine.rows(work.select("owner").distinct())}
    found: dict[str, list[tuple[int, int]]] = {owner: [] for owner in sorted(owners)}
    for back in range(3):
        last = as_of - timedelta(days=back * git.WINDOWS_APART)
        rows = {str(row["owner"]): row for row in engine.rows(git.window_actives(work, last))}
        for owner, pairs in found.items():
            row = rows.get(owner, {"active": 0, "full_time": 0})
            pairs.append((_int(row["active"]) or 0, _int(row["full_time"]) or 0))
    return found


def _int(value: object) -> int | None:
    return None if value is None else int(str(value))
