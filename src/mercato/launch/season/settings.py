"""The local economy's settings: `[season]` in mercato.toml, or MERCATO_SEASON_* in the environment."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mercato.core.settings import Section


class SeasonSettings(Section):
    """Without `enabled` the chain in this process starts empty; with it, it lives through a season drawn from `seed`.

    `size` small is for slow machines and tests. `a_second` are the thousandths of a trade that each pool expects in a
    second while somebody looks; otherwise the street is nearly asleep, so that a chain left alone stays small.
    """

    name: ClassVar[str] = "season"
    enabled: bool = True
    seed: int = Field(7, ge=0)
    size: Literal["full", "small"] = "full"
    a_second: int = Field(1000, ge=0, le=10_000)
