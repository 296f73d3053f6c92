"""How long to wait before asking again: what the source says (Retry-After), else exponential back-off with jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Retries:
    """`attempts` in all; waits of `base` * 2^n seconds up to `longest`, half of each drawn at random."""

    attempts: int = 4
    base: float = 1.0
    longest: float = 60.0

    def delay(self, attempt: int, chance: random.Random) -> float:
        """Returns the seconds to wait after failed attempt number `attempt` (0 for the first)."""
        full = min(self.longest, self.base * 2.0**attempt)
        return full / 2 + chance.random() * full / 2


def retry_after(value: str | None, now: datetime) -> float | None:
    """Returns the seconds that a Retry-After header asks for, None where it is absent or cannot be read.

    RFC 9110 §10.2.3 allows whole seconds or an HTTP date; a date in the past asks for no wait.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
