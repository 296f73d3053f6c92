"""The market room's settings."""

from __future__ import annotations

from typing import ClassVar

from mercato.core.settings import Section


class MarketSettings(Section):
    """`memory` bounds the analytics engine, as in 700MB; `threads` 0 means one per core."""

    name: ClassVar[str] = "market"
    memory: str = "700MB"
    threads: int = 0
