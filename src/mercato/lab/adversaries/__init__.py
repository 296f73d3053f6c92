"""The adversaries by name: what makes one from its parameters, and which are baselines without any."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mercato.lab.adversaries import flips, games, whales
from mercato.lab.model import DOLLAR, MINUTE
from mercato.lab.world import Adversary

Parameters = Mapping[str, int]
"""Name -> value, both as in the study."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an adversary attacks: the seed, which only a placebo's dice use, and the block time."""

    seed: int
    block_ms: int


def _sybil(parameters: Parameters, at: Place, accounts: int) -> Adversary:
    return flips.Sybil(accounts, parameters["size_bps"], parameters["identity_dollars"] * DOLLAR, at.block_ms)


ADVERSARIES: dict[str, Callable[[Parameters, Place], Adversary]] = {
    "latency-sniper": lambda p, at: flips.latency_sniper(p["size_bps"], p["hold_minutes"], at.block_ms),
    "insider-bundler": lambda p, at: flips.insider(p["size_bps"], p["hold_minutes"]),
    "tax-edge-sniper": lambda p, at: flips.EdgeFlip(p["edge_bps"], p["hold_minutes"], p["size_bps"]),
    "last-look-whale": lambda p, at: whales.LastLook(p["limit_bps"], p["size_bps"], p["hold_minutes"]),
    "demand-reducing-whale": lambda p, at: whales.Shade(p["limit_bps"], p["size_bps"]),
    "pool-open-sniper": lambda p, at: flips.OpeningFlip(p["size_bps"], p["hold_minutes"]),
    "seller-shill": lambda p, at: games.Shill(p["size_bps"], p["at_minutes"]),
    "sybil": lambda p, at: _sybil(p, at, p["accounts"]),
    "wash-trader": lambda p, at: games.Wash(p["size_bps"], p["cycles"], p["wait_minutes"]),
    "jit-lp": lambda p, at: games.PassingLiquidity(p["size_bps"], p["stay_minutes"]),
    "griefer": lambda p, at: games.Grief(p["size_bps"], p["times"]),
}
"""Name of an attack -> what makes one; each is tuned for every mechanism."""

BASELINES: dict[str, Callable[[Parameters, Place], Adversary]] = {
    "none": lambda p, at: flips.Nobody(),
    "placebo": lambda p, at: flips.placebo(at.seed),
    "probe-early": lambda p, at: flips.Probe(at.block_ms),
    "probe-late": lambda p, at: flips.Probe(10 * MINUTE),
    "sybil-single": lambda p, at: _sybil(p, at, 1),
}
"""Name of a baseline -> what makes one. The probes buy the same in the first block and ten minutes later;
`sybil-single` is the tuned sybil with one account."""

SELLERS = frozenset({"seller-shill"})
"""Attacks by the seller, who also gains what the sale brings more."""

__all__ = ["ADVERSARIES", "BASELINES", "SELLERS", "Parameters", "Place"]
