"""What the rules say: episodes under way, what was told, and the rules themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mercato.market.alerts import tables
from mercato.market.alerts.duty import rules_of
from mercato.market.views.sources import simulated_sources

if TYPE_CHECKING:
    from mercato.market.service import Market

TOLD = 200


def context(market: Market) -> Mapping[str, object]:
    """Returns the page of the alerts."""
    rules, path = rules_of(market)
    with market.store.read() as session:
        told, firing = tables.latest(session, TOLD), tables.firing(session)
    return {
        "told": told,
        "firing": firing,
        "rules": rules,
        "titles": {rule.key: rule.title for rule in rules},
        "rules_file": path.name,
        "simulated": simulated_sources(market.segments()),
    }
