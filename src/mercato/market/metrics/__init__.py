"""The metrics by name. Each is a function of (Inputs, Query); its module is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from mercato.core.errors import NotFound

if TYPE_CHECKING:
    from mercato.market.metrics.base import Metric

__all__ = ["METRICS", "metric"]

METRICS: dict[str, str] = {
    "sector-level": "level:sector_level",
    "sector-index": "index:sector_index",
    "decompose": "decompose:decompose",
    "drawdown": "drawdown:drawdown",
    "dominance": "dominance:dominance",
    "platform-share": "platforms:platform_share",
    "flat-range": "flat:flat_range",
    "regime": "regime:regime",
    "mindshare": "mindshare:mindshare",
    "rebounds": "rebounds:rebounds",
    "developers": "developers:developers",
    "giants": "giants:giants",
    "scenario": "scenario:scenario",
    "quality": "quality:quality",
    "token": "token:token",
}
"""The name of a metric in the command and in figures, and where its function is."""


def metric(name: str) -> Metric:
    """Returns the function of a metric; NotFound lists the known names."""
    if name not in METRICS:
        raise NotFound(f"metric was {name!r}, which is unknown", hint=f"known metrics: {', '.join(METRICS)}")
    module, function = METRICS[name].split(":")
    found: Metric = getattr(import_module(f"mercato.market.metrics.{module}"), function)
    return found
