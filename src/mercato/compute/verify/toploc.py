"""Commitments to a model's last hidden states, by TOPLOC (J. M. Ong and others, 2025, arXiv 2501.16007).

Of a stretch of tokens the 128 numbers of largest magnitude are committed to: a polynomial over the integers modulo the
prime 65,497 that has, at the place of each, its 16 bits as a bfloat16. Written are the modulus by which places are
told apart, and the coefficients from the lowest: 258 octets, as `ProofPoly` of the package `toploc` 0.1.6 writes them.
Whoever has the model computes the states again in one prefill, and compares exponents and mantissas at the places that
are largest there: other hardware moves a mantissa a little, another model agrees in nothing.

A choice has one proof for its prompt, and one for each 32 tokens that were read after it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mercato.compute.verify.match import Cut, Limits
from mercato.core.events import Json

FEATURE = "toploc"
"""What an offer has whose provider hands out such commitments: the member of this name in each choice."""
CACHED = ""
"""What stands for the proof of a prompt that was not read as a whole."""
PRIME = 65_497
TOP, STRETCH = 128, 32  # numbers of a proof, and tokens that it stands for
WIDTH = 2 * TOP + 2  # octets of a proof
LONGEST = 4 * -(-WIDTH // 3)  # letters of one in base64
EXPONENT, MANTISSA = 0x7F80, 0x7F  # of a bfloat16; the sign is not looked at
THOUSANDTHS = 1000
HARD = TOP // 2  # of the exponents: where more differ, no hardware explains it
Point = tuple[int, int]
"""A place among the numbers of a stretch, row after row, and the bits of the bfloat16 there."""


@dataclass(frozen=True, slots=True)
class Errors:
    """By what one proof differs: see `Limits`. Where all exponents are others, the rest tells nothing."""

    exponents: int
    mean: float = 0.0
    median: float = 0.0

    def beyond(self, limits: Limits) -> bool:
        """Whether it differs by more than honest ones do."""
        return self.exponents > limits.exponents or self.mean > limits.mean or self.median > limits.median


@dataclass(frozen=True, slots=True)
class Proof:
    """A commitment to the points of one stretch: the modulus for places, and the coefficients from the lowest."""

    modulus: int
    coefficients: tuple[int, ...]

    @classmethod
    def of(cls, points: Sequence[Point]) -> Proof:
        """Returns the proof of some points; ValueError where no modulus tells their places apart."""
        modulus = next((it for it in range(PRIME, 1, -1) if len({at % it for at, _ in points}) == len(points)), 0)
        if not points or not modulus:
            raise ValueError(f"places were {[at for at, _ in points][:5]!r}, which no modulus tells apart")
        return cls(modulus, _through([(at % modulus, bits % PRIME) for at, bits in points]))

    @classmethod
    def read(cls, text: object) -> Proof | None:
        """Returns what was written in base64; None for what is no proof of this size."""
        if not isinstance(text, str) or len(text) != LONGEST:
            return None
        try:
            raw = base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            return None
        numbers = [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]
        sound = len(raw) == WIDTH and TOP <= numbers[0] <= PRIME and max(numbers[1:]) < PRIME
        return cls(numbers[0], tuple(numbers[1:])) if sound else None

    def octets(self) -> bytes:
        """Returns it as it is written."""
        return b"".join(number.to_bytes(2) for number in (self.modulus, *self.coefficients))

    def text(self) -> str:
        """Returns it in base64, as answers hold it."""
        return base64.b64encode(self.octets()).decode()

    def at(self, place: int) -> int:
        """Returns the bits that it commits to at a place; at one that was not committed to, any."""
        value, x = 0, place % self.modulus
        for coefficient in reversed(self.coefficients):
            value = (value * x + coefficient) % PRIME
        return value

    def errors(self, points: Iterable[Point]) -> Errors:
        """Returns by what it differs from the points that somebody else has for the same stretch."""
        pairs = [(self.at(place), bits) for place, bits in points]
        same = [(one, other) for one, other in pairs if one & EXPONENT == other & EXPONENT]
        apart = sorted(abs((one & MANTISSA) - (other & MANTISSA)) for one, other in same)
        if not apart:
            return Errors(len(pairs))
        middle = len(apart) // 2
        median = (apart[middle] + apart[~middle]) / 2
        return Errors(len(pairs) - len(apart), sum(apart) / len(apart), median)


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of one answer's commitments: by what each that was looked at differs, and how many were missing."""

    errors: tuple[Errors, ...]
    missing: int = 0

    method = FEATURE

    @property
    def tells(self) -> bool:
        """Whether there was anything to open."""
        return bool(self.errors) or self.missing > 0

    @property
    def hopeless(self) -> bool:
        """Whether it is beyond what noise of any hardware does."""
        return self.missing > 0 or any(it.exponents > HARD for it in self.errors)

    def fails(self, cut: Cut) -> bool:
        """Whether a commitment is not of the model that the reference has, or was promised and is not there."""
        return self.missing > 0 or any(it.beyond(cut.limits) for it in self.errors)

    def body(self) -> dict[str, Json]:
        """Returns what an audit keeps of it: the worst of each, of the mantissas in thousandths of their last bit."""
        return {
            "proofs": len(self.errors), "missing": self.missing,
            "exponents": max((it.exponents for it in self.errors), default=0),
            "mean": round(max((it.mean for it in self.errors), default=0) * THOUSANDTHS),
            "median": round(max((it.median for it in self.errors), default=0) * THOUSANDTHS),
        }  # fmt: skip


def opened(proofs: Sequence[object], stretches: Mapping[int, Sequence[Point]]) -> Opened:
    """Returns what becomes of an answer's proofs beside the points of stretches by their number, 0 for the prompt. The
    prompt's may be "": what an engine has in its cache it does not read again."""
    wanted = [at for at in stretches if at > 0 or not (proofs and proofs[0] == CACHED)]
    read = {at: Proof.read(proofs[at]) if at < len(proofs) else None for at in wanted}
    found = tuple(proof.errors(stretches[at]) for at, proof in read.items() if proof)
    return Opened(found, len(wanted) - len(found))


def _through(points: Sequence[Point]) -> tuple[int, ...]:
    """Returns the coefficients of the polynomial of least degree through points, by Newton's divided differences."""
    places, slopes = [at for at, _ in points], [value for _, value in points]
    for step in range(1, len(points)):
        for at in range(len(points) - 1, step - 1, -1):
            run = pow(places[at] - places[at - step], -1, PRIME)
            slopes[at] = (slopes[at] - slopes[at - 1]) * run % PRIME
    found = [0] * len(points)
    for place, slope in zip(reversed(places), reversed(slopes), strict=True):
        shifted = [0, *found[:-1]]  # times x, less times the place, and the slope: Horner's rule for polynomials
        found = [(up - place * same) % PRIME for up, same in zip(shifted, found, strict=True)]
        found[0] = (found[0] + slope) % PRIME
    return tuple(found)
