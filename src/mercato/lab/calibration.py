"""How the lab's launches compare with what was observed of real ones: each fact and its source beside the lab's share.

Facts are compared, never fitted: the study is registered before, and the training seeds are enough here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mercato.lab.mechanisms.clanker import STATIC_PPM, Ladder
from mercato.lab.model import BPS, Tape
from mercato.lab.run import run, tape
from mercato.lab.study import Study

PINE = "Pine Analytics on pump.fun, April 2025"
CLANKER = "Clanker, sniper tech of v4.1, paragraph.com/@clankerworld, August 2025"
MARINO = "655,770 launches on pump.fun in September 2025, arXiv:2602.14860"
SIZES_BPS = (500, 2_000, 5_000)
MINUTES = (1, 2, 5, 20, 60, 180)


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation: what it says, the share observed and the lab's, both from 0 to 1."""

    says: str
    source: str
    observed: float
    lab: float


def compare(study: Study, count: int) -> list[Fact]:
    """Returns the facts beside the lab's shares over the first `count` training seeds."""
    first = study.search.first_seed
    tapes = [tape(seed, study.people, study.value) for seed in range(first, first + count)]
    share = partial(_share, tapes)
    return [
        Fact("snipes of a launch's first block that were profitable", PINE, 0.87, share(_profits)),
        Fact("of them best sold within five minutes", PINE, 0.85, share(_best_within_five)),
        Fact("launches that graduated", MARINO, 0.0063, share(_graduates)),
        *(
            Fact(
                f"supply that {size // 100} % of the raise buys at first",
                CLANKER,
                0.07,
                _taken(tapes, size),
            )
            for size in SIZES_BPS
        ),
    ]


def _share(tapes: list[Tape], holds: Callable[[Tape], bool]) -> float:
    return sum(map(holds, tapes)) / len(tapes)


def _snipe(order: Tape, minutes: int) -> int:
    return run("pump", "latency-sniper", {"size_bps": SIZES_BPS[0], "hold_minutes": minutes}, order).profit


def _profits(order: Tape) -> bool:
    return _snipe(order, 2) > 0


def _best_within_five(order: Tape) -> bool:
    return max(MINUTES, key=lambda minutes: _snipe(order, minutes)) <= 5


def _graduates(order: Tape) -> bool:
    raised = run("pump", "none", {}, order).raised
    return raised * BPS >= order.economy.raise_target * (BPS - 1)


def _taken(tapes: list[Tape], size_bps: int) -> float:
    """Returns the mean share of the supply that a snipe of this size takes from Clanker's opening without its guard."""
    shares = []
    for order in tapes:
        economy = order.economy
        ladder = Ladder.opening(economy, STATIC_PPM)
        shares.append(ladder.quote(economy.raise_target * size_bps // BPS, 0) / economy.supply)
    return sum(shares) / len(shares)
