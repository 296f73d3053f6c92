"""Pages that are some sections of the report."""

from __future__ import annotations

from collections.abc import Mapping

from mercato.market.report.snapshot import Snapshot
from mercato.market.views.parts import parts, simulated


def context(snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns the page of chains and platforms."""
    return _sections(snapshot, "Chains and platforms", "dominance", "platforms")


def mindshare(snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns the page of mindshare."""
    return _sections(snapshot, "Mindshare", "mindshare")


def builders(snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns the page of builders."""
    return _sections(snapshot, "Builders", "builders")


def report(snapshot: Snapshot | None) -> Mapping[str, object]:
    """Returns the whole report."""
    return _sections(snapshot, "Weekly report")


def _sections(snapshot: Snapshot | None, title: str, *keys: str) -> Mapping[str, object]:
    if snapshot is None:
        return {"report": None, "title": title, "simulated": ""}
    found = parts(snapshot, *keys)
    return {"report": snapshot.report, "title": title, "parts": found, "whole": not keys,
            "simulated": simulated(snapshot)}  # fmt: skip
