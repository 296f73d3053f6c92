"""Vectors of an embedding, and how far they are from those of a reference.

A request may ask for thousands of vectors; a few are drawn after the answer came, so that nobody knows which. Honest
machines differ a little in every number, and in some texts more than in others; so an answer fails only where one of
its vectors points elsewhere by more than a calibrated cut allows. How long a vector is says nothing: some servers make
all of them one long, and some do not.
"""

from __future__ import annotations

import base64
import binascii
import math
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from random import Random
from typing import Any

from mercato.compute.verify.match import Cut, upper
from mercato.core.events import Json

MOST = 4  # vectors of one answer that are looked at
LONGEST = 16_384  # numbers of a vector
BILLIONTHS = 1_000_000_000  # distances are stored as whole numbers of these
HARD = 100_000_000  # of them: a larger distance no hardware explains
Vector = Sequence[float]


@dataclass(frozen=True, slots=True)
class Sampled:
    """Some vectors of an answer, None for what is none, each with the text or the tokens that it stands for. `inputs`
    and `given` count those of the request; `twice` says that two were given for one input."""

    inputs: tuple[Any, ...]
    vectors: tuple[Vector | None, ...]
    asked: int
    given: int
    twice: bool = False

    def body(self) -> dict[str, Json]:
        """Returns all but the inputs as JSON."""
        told: list[Json] = [None if it is None else _spelt(it) for it in self.vectors]
        return {"vectors": told, "asked": self.asked, "given": self.given, "twice": self.twice}

    @classmethod
    def read(cls, inputs: Sequence[Any], body: Mapping[str, Any]) -> Sampled:
        """Returns what `body` gave."""
        vectors = tuple(None if it is None else vector(it) for it in body["vectors"])
        return cls(tuple(inputs), vectors, body["asked"], body["given"], body["twice"])


@dataclass(frozen=True, slots=True)
class Gap:
    """How many vectors of one answer were looked at, and how far the farthest is from the reference's: 1 - cosine, in
    billionths."""

    vectors: int
    far: int

    method = "vector-distance"

    @property
    def tells(self) -> bool:
        """Whether it can be judged: always."""
        return True

    @property
    def hopeless(self) -> bool:
        """Whether it is beyond what noise of any hardware does."""
        return self.far > HARD

    def fails(self, cut: Cut) -> bool:
        """Whether the answer disagrees with the reference."""
        return self.far > cut.far

    def body(self) -> dict[str, Json]:
        """Returns what an audit keeps of it."""
        return {"vectors": self.vectors, "far": self.far}


def inputs(given: Any) -> list[Any]:
    """Returns the texts, or lists of tokens, that `input` holds."""
    if not isinstance(given, list):
        return [given]
    return [given] if all(isinstance(one, int) for one in given) else given


def drawn(given: Any, data: Sequence[Mapping[str, Any]], rng: Random) -> Sampled:
    """Returns some vectors of an answer's `data`, drawn by chance, for an `input`."""
    pieces = inputs(given)
    found: dict[int, Any] = {}
    for at, one in enumerate(data):
        index = one.get("index", at)
        found.setdefault(index if isinstance(index, int) else at, one.get("embedding"))
    chosen = sorted(rng.sample(range(len(pieces)), min(MOST, len(pieces))))
    vectors = tuple(vector(found.get(at)) for at in chosen)
    return Sampled(tuple(pieces[at] for at in chosen), vectors, len(pieces), len(data), len(found) < len(data))


def vector(value: Any) -> Vector | None:
    """Returns an embedding as numbers, which come as a list or as little-endian floats in base64; None for what is no
    vector: without numbers, with such as are not finite, or all of them nought."""
    try:
        if isinstance(value, str):
            found = _little(array("f", base64.b64decode(value, validate=True)))
        elif isinstance(value, list) and not any(isinstance(one, bool) for one in value):
            found = array("f", value)
        else:
            return None
    except (ValueError, TypeError, OverflowError, binascii.Error):
        return None
    sound = 0 < len(found) <= LONGEST and all(map(math.isfinite, found)) and any(found)
    return found if sound else None


def gap(one: Vector, other: Vector) -> int:
    """Returns how far two vectors point apart, in billionths: 0 for the same direction, and at most twice as much as
    for a right angle, which is also what vectors of different length have."""
    if len(one) != len(other):
        return BILLIONTHS
    lengths = math.sqrt(_product(one, one)) * math.sqrt(_product(other, other))
    return max(0, round((1 - _product(one, other) / lengths) * BILLIONTHS))


def calibrated(honest: Sequence[int], risk: float = 1e-3) -> tuple[int, float]:
    """Returns a cut for distances of honest answers, and an upper bound of the share that it fails, wrong with a chance
    of `risk`: twice what one in a hundred of the first half exceeds, and a bound from the other half."""
    half = len(honest) // 2
    seen, held = sorted(honest[:half]), honest[half:]
    cut = max(1, 2 * seen[min(half - 1, half * 99 // 100)])
    return cut, upper(sum(each > cut for each in held), len(held), risk)


def _product(one: Vector, other: Vector) -> float:
    return math.fsum(map(mul, one, other))


def _spelt(found: Vector) -> str:
    return base64.b64encode(_little(array("f", found)).tobytes()).decode()


def _little(found: array[float]) -> array[float]:
    if sys.byteorder == "big":
        found.byteswap()
    return found
