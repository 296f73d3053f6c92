"""What must stand above everything where figures rest on made-up data, on pages and in reports alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from mercato.market.model import SIMULATED, Figure

Simulated = Literal["", "some", "all"]
TITLE = "Simulated data:"
NOTICES: dict[Simulated, str] = {
    "all": "every figure here is made up. It shows how Mercato works and says nothing about any market.",
    "some": "some figures here rest on made-up input. Each of them says so.",
}


def simulated_of(figures: Iterable[Figure]) -> Simulated:
    """Returns whether all, some or none of these figures rest on made-up data; those without a value do not count."""
    marks = {SIMULATED in item.flags for item in figures if item.value is not None}
    return "" if True not in marks else "some" if False in marks else "all"


def notice(figures: Iterable[Figure]) -> str:
    """Returns the notice that these figures need, with its title; nothing where none is made up."""
    words = NOTICES.get(simulated_of(figures))
    return f"{TITLE} {words}" if words else ""
