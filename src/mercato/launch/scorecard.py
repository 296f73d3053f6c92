"""Review by scorecards: seven weighted criteria, sealed by a hash before anybody sees another's, then opened.

A card's total is the weighted sum of its scores, 0 to 100 in tenths. An application passes where the median of the
totals is at least 70 and no criterion's median is below 4 of 10. With an even number of cards the lower of the two
middle ones counts, so that a missing reviewer never helps.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mercato.core.errors import Conflict, InvalidInput
from mercato.launch.application import plain

#: Criterion -> its weight in percent.
CRITERIA: Mapping[str, int] = {
    "team": 15,
    "product": 20,
    "openness": 15,
    "revenue": 20,
    "safety": 10,
    "tokenomics": 10,
    "community": 10,
}
PASS_TENTHS, LOWEST, HIGHEST, VETO = 700, 0, 10, 4
PANEL, APPEAL_PANEL, ROUNDS = 5, 11, 3
_SALT = re.compile(r"[0-9a-f]{64}")
_SEAL = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """One reviewer's word: a score of 0 to 10 for each criterion, the floor valuations it would let pass, a comment.

    `floor_low` and `floor_high` are whole base units of the quote token for the whole supply.
    """

    scores: Mapping[str, int]
    floor_low: int
    floor_high: int
    comment: str = ""

    def __post_init__(self) -> None:
        if set(self.scores) != set(CRITERIA):
            raise InvalidInput(f"criteria were {sorted(self.scores)!r}", hint=f"score each of: {', '.join(CRITERIA)}")
        for name, score in self.scores.items():
            if isinstance(score, bool) or not isinstance(score, int) or not LOWEST <= score <= HIGHEST:
                raise InvalidInput(f"score of {name!r} was {score!r}", hint="expected a whole number from 0 to 10")
        if not 0 < self.floor_low <= self.floor_high:
            raise InvalidInput(
                f"floor band was {self.floor_low!r} to {self.floor_high!r}", hint="give 0 < floor_low <= floor_high"
            )
        if len(self.comment) > 2000:
            raise InvalidInput(f"comment was {len(self.comment)} letters long", hint="at most 2000 letters")
        plain(self.comment, "comment")

    @property
    def total(self) -> int:
        """Returns the weighted total in tenths, 0 to 1000."""
        return sum(CRITERIA[name] * score for name, score in self.scores.items())

    def body(self) -> dict[str, object]:
        """Returns the card as JSON values; amounts as text."""
        return {
            "scores": {name: self.scores[name] for name in CRITERIA},
            "floor_low": str(self.floor_low),
            "floor_high": str(self.floor_high),
            "comment": self.comment,
        }

    @classmethod
    def of(cls, body: Mapping[str, object]) -> Scorecard:
        """Returns the card of JSON values; InvalidInput names what was wrong."""
        scores = body.get("scores")
        if not isinstance(scores, Mapping):
            raise InvalidInput(f"scores was {scores!r}", hint="expected an object of criterion to score")
        low, high = (_whole(name, body.get(name)) for name in ("floor_low", "floor_high"))
        return cls(scores=dict(scores), floor_low=low, floor_high=high, comment=str(body.get("comment", "")))


def seal(launch: str, round: int, reviewer: str, card: Scorecard, salt: str) -> str:
    """Returns the commitment to a card: SHA-256 as 64 hexadecimal digits.

    It binds the launch, the round and the reviewer, so that a copied seal cannot be opened by whoever copied it; the
    32-byte `salt` (64 hexadecimal digits) keeps the few likely cards from being tried out.
    """
    if not _SALT.fullmatch(salt):
        raise InvalidInput("salt was not 64 hexadecimal digits", hint="make one with secrets.token_hex(32)")
    text = json.dumps(
        ["mercato review 1", launch, round, reviewer, card.body(), salt], ensure_ascii=False, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def sealed(text: str) -> str:
    """Returns a commitment that came from outside; InvalidInput unless it is 64 lower-case hexadecimal digits."""
    if not _SEAL.fullmatch(text):
        raise InvalidInput(f"commitment was {text[:80]!r}", hint="expected 64 lower-case hexadecimal digits")
    return text


def opened(commitment: str, launch: str, round: int, reviewer: str, card: Scorecard, salt: str) -> Scorecard:
    """Returns the card where it is the one that was sealed; Conflict where it is another."""
    if seal(launch, round, reviewer, card, salt) != commitment:
        raise Conflict(
            f"scorecard of {reviewer!r} was not the one that was sealed", hint="reveal the same card and salt"
        )
    return card


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a panel decided. `total` is the median total in tenths, `medians` the median of each criterion.

    `floor_low` to `floor_high` is the band of floor valuations that the panel lets pass: the medians of its members'.
    """

    passed: bool
    total: int
    medians: Mapping[str, int]
    floor_low: int
    floor_high: int
    reason: str


def judge(cards: Sequence[Scorecard], panel: int) -> Verdict:
    """Returns the verdict of the opened cards; Conflict where fewer than a majority of the panel opened theirs."""
    if 2 * len(cards) <= panel:
        raise Conflict(
            f"opened scorecards were {len(cards)} of {panel}", hint="more than half of the panel must reveal theirs"
        )
    total = _median([card.total for card in cards])
    medians = {name: _median([card.scores[name] for card in cards]) for name in CRITERIA}
    low, high = _median([card.floor_low for card in cards]), _median([card.floor_high for card in cards])
    weak = [f"{name} {score}" for name, score in medians.items() if score < VETO]
    reasons = [f"the median total was {total // 10}.{total % 10}, below 70"] if total < PASS_TENTHS else []
    reasons += [f"criteria below {VETO} were: {', '.join(weak)}"] if weak else []
    said = "; ".join(reasons) or f"the median total was {total // 10}.{total % 10} and no criterion was below {VETO}"
    return Verdict(not reasons, total, medians, low, high, said)


def panel(launch: str, round: int, reviewers: Sequence[str], size: int, before: frozenset[str]) -> tuple[str, ...]:
    """Returns who reviews: `size` of the reviewers in an order that the launch's id and the round decide.

    Those who sat on an earlier panel come last. Conflict where there are too few reviewers.
    """
    if len(set(reviewers)) < size:
        raise Conflict(f"reviewers were {len(set(reviewers))}, a panel needs {size}", hint="name more in [launch]")

    def place(reviewer: str) -> tuple[bool, str]:
        return reviewer in before, hashlib.sha256(f"{launch}/{round}/{reviewer}".encode()).hexdigest()

    return tuple(sorted(sorted(set(reviewers), key=place)[:size]))


def seats(round: int) -> int:
    """Returns how many sit on the panel of a round; rounds after the first are appeals."""
    return PANEL if round == 1 else APPEAL_PANEL


def _median(values: Sequence[int]) -> int:
    return sorted(values)[(len(values) - 1) // 2]


def _whole(name: str, value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise InvalidInput(f"{name} was {value!r}", hint="expected whole base units of the quote token, as text")
