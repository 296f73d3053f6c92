"""What a report is: sections of claims, where every number is a slot that names a figure. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Literal

from mercato.core.events import Event
from mercato.market.model import Figure, Grid

State = Literal["stated", "unknown"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence that can be checked.

    `text` and `falsifier` are templates: `{slot}` is the value of a figure, `{slot@dim}` a name that the figure
    carries, and no digit stands outside a slot. `figures` maps slots to figure ids. `falsifier` says what would show
    that the claim is wrong. An unknown claim says in `reason` why nothing can be said.
    """

    key: str
    text: str
    falsifier: str
    figures: Mapping[str, str] = field(default_factory=dict)
    state: State = "stated"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A grid shown with a section: how to draw it (`chart`, or `table` only) and what it shows, in words."""

    grid: Grid
    title: str
    chart: str = "table"
    about: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One question of the report, its claims, the exhibits behind them and what would fill the gaps."""

    key: str
    title: str
    question: str
    claims: tuple[Claim, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The answers as of the close of one day, as they were known at one time.

    `figures` holds every figure that a claim cites, by id. `previous` is the as-of day of the report compared with.
    """

    as_of: date
    known_at: datetime
    sector: str
    universe: str
    sections: tuple[Section, ...]
    figures: Mapping[str, Figure]
    previous: date | None = None

    def section(self, key: str) -> Section:
        """Returns the section of that key; KeyError names the sections there are."""
        for item in self.sections:
            if item.key == key:
                return item
        raise KeyError(f"no section {key!r} in {[item.key for item in self.sections]!r}")

    @property
    def empty(self) -> bool:
        """Returns whether no claim could be stated at all."""
        return all(claim.state == "unknown" for part in self.sections for claim in part.claims)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportComposed(Event):
    """The pages of a sector have new figures; whoever shows them fetches them anew."""

    room: ClassVar[str] = "market"

    as_of: date
    sector: str
    sha: str
