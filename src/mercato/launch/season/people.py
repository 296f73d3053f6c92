"""The crowd of a season: simulated people with means, temper and an address that nobody holds a key of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from mercato.chains import Address
from mercato.launch.season.draws import chance, lognormal, stream

Kind = Literal["retail", "regular", "whale", "bot"]
#: Of a thousand people, so many are of each kind; the rest are regulars.
MIX: tuple[tuple[Kind, int], ...] = (("retail", 420), ("whale", 35), ("bot", 45))
#: Whole test dollars that the middle person of a kind can spend on one launch, and how widely that varies (milli).
MEANS: dict[Kind, tuple[int, int]] = {
    "retail": (900, 700), "regular": (4_000, 900), "whale": (60_000, 500), "bot": (8_000, 400),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """One simulated person. `means` is whole test dollars for one launch; `identified` may use the retail tranche."""

    number: int
    address: Address
    kind: Kind
    means: int
    identified: bool


def account(seed: int, name: str) -> Address:
    """Returns the address of a simulated account. It is a hash, so no key to it is known to anyone."""
    return Address("0x" + hashlib.sha256(f"mercato season {seed} {name}".encode()).hexdigest()[:40])


def crowd(seed: int, size: int) -> tuple[Person, ...]:
    """Returns so many people; the first ones are the same whatever the size."""
    return tuple(_person(seed, number) for number in range(size))


def _person(seed: int, number: int) -> Person:
    draw = stream(seed, "person", number)
    kind = _kind(draw.randrange(1000))
    median, spread = MEANS[kind]
    means = max(20, lognormal(draw, median, spread))
    return Person(number, account(seed, f"person {number}"), kind, means, kind == "retail" or chance(draw, 300))


def _kind(place: int) -> Kind:
    """Returns the kind of the person at a place of a thousand."""
    for kind, share in MIX:
        if place < share:
            return kind
        place -= share
    return "regular"
