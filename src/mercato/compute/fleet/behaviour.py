"""How a provider of the fleet behaves: honestly, badly, or in a way that breaks naive gateways."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Behaviour(StrEnum):
    """What a provider does, in one word; the words are those of `mercato compute simulate` too."""

    HONEST = "honest"
    SLOW = "slow"  # waits before the first byte
    FLAKY = "flaky"  # a share of requests ends with an error status
    BURST = "burst"  # 429 where more than a few are in flight
    TRUNCATE = "truncate"  # a share of answers is cut without an end
    STALL = "stall"  # stops in the middle and says nothing more
    LIE_USAGE = "lie-usage"  # claims ten times the tokens
    WRONG_MODEL = "wrong-model"  # serves another model
    QUANTISED = "quantised"  # serves the model with coarser weights
    PARTIAL = "partial"  # serves another model now and then
    PATIENT = "patient"  # honest until it is trusted, then another model
    REPLAY = "replay-cache"  # gives everyone the first answer it ever gave
    WATERMARK = "watermark"  # replaces every fifth token with a mark of its own
    SYBIL = "sybil"  # as one of two that share their wrong answers
    BRIBED = "bribed"  # as a checker, it finds everything right
    ERROR_200 = "error-in-200"  # an error object with status 200
    HTML = "html"  # a page, with status 200
    GZIP_BOMB = "gzip-bomb"
    WRONG_LENGTH = "wrong-length"  # says more bytes than it sends
    DOUBLE_DONE = "double-done"
    CRLF = "crlf"  # lines end with CR LF, and comments keep the stream alive
    SPLIT_UTF8 = "split-utf8"  # writes end inside characters
    ONE_BYTE = "one-byte"  # a write for each byte
    REDIRECT = "redirect"  # sends the caller elsewhere


@dataclass(frozen=True, slots=True)
class Manner:
    """A behaviour with its measures.

    rate: the share of requests it shows in; delay: seconds before the first byte; gap: seconds between tokens;
    after: tokens before a cut or stall, or requests before a patient cheater begins; status: of errors; most: requests
    that a bursting one takes at once; seed: what its luck and its other model are drawn from; commits: whether it hands
    out commitments to its hidden states.
    """

    behaviour: Behaviour = Behaviour.HONEST
    rate: float = 1.0
    delay: float = 0.0
    gap: float = 0.0
    after: int = 3
    status: int = 500
    most: int = 2
    seed: int = 0
    commits: bool = False
