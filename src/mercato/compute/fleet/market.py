"""A simulated fleet: providers with prices, speeds and faults, and what each of them serves.

The composition is an assumption, not a measurement: about one provider in five cheats, cheaters undercut the honest,
and a few honest ones are slow, cut answers, or go down. A price of 1 is about the honest median.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HONEST = "honest"
#: Kind, how many of thirty, what it serves when it cheats, and in which share of requests.
CHEATS: tuple[tuple[str, int, str, float], ...] = (
    ("wrong-model", 2, "wrong", 1.0),
    ("quantised", 1, "quantised", 1.0),
    ("patient", 1, "quantised", 1.0),
    ("partial", 2, "quantised", 0.3),
)
SLOW, CUTTING, FLAKY = 2, 2, 2
PATIENCE = 60  # requests that a patient cheater serves honestly
OUTAGE_EVERY, OUTAGE = 400.0, 45.0  # seconds, of flaky ones


@dataclass(frozen=True, slots=True)
class Member:
    """One provider of the fleet.

    price: of a typical answer; first: seconds to its first byte, the median; pace: seconds for a token; serves: what it
    serves when it cheats; cheats: in which share of requests; patience: after how many; cuts: the share of answers it
    breaks off; phase: when in its cycle a flaky one goes down, None for all others.
    """

    name: str
    kind: str
    price: float
    first: float
    pace: float
    serves: str = HONEST
    cheats: float = 0.0
    patience: int = 0
    cuts: float = 0.0
    phase: float | None = None

    def down(self, now: float) -> bool:
        """Whether it is in one of its outages."""
        return self.phase is not None and (now + self.phase) % OUTAGE_EVERY < OUTAGE


def fleet(seed: int, size: int = 30) -> list[Member]:
    """Returns a fleet drawn from a seed; kinds keep their shares of thirty, at least one each."""
    rng = np.random.default_rng((seed, 1))
    members: list[Member] = []
    for kind, count, serves, cheats in CHEATS:
        for _ in range(_scaled(count, size)):
            patience = PATIENCE if kind == "patient" else 0
            members.append(_member(rng, members, kind, rng.uniform(0.57, 0.9), serves, cheats, patience))
    for kind, count in (("slow", SLOW), ("cutting", CUTTING), ("flaky", FLAKY)):
        for _ in range(_scaled(count, size)):
            members.append(_member(rng, members, kind, _fair(rng)))
    while len(members) < size:
        members.append(_member(rng, members, HONEST, _fair(rng)))
    return members


def _scaled(count: int, size: int) -> int:
    return max(1, round(count * size / 30))


def _fair(rng: np.random.Generator) -> float:
    return float(np.exp(rng.normal(0.138, 0.25)))


def _member(
    rng: np.random.Generator, before: list[Member], kind: str, price: float, serves: str = HONEST,
    cheats: float = 0.0, patience: int = 0,
) -> Member:  # fmt: skip
    slow = 2.2 if kind == "slow" else 1.0
    return Member(
        f"p{len(before):02}", kind, float(price), 0.35 * slow * float(np.exp(rng.normal(0, 0.2))),
        0.012 * slow * float(np.exp(rng.normal(0, 0.2))), serves, cheats, patience,
        cuts=0.15 if kind == "cutting" else 0.0,
        phase=float(rng.uniform(0, OUTAGE_EVERY)) if kind == "flaky" else None,
    )  # fmt: skip
