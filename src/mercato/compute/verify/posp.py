"""How often to audit at least, so that cheating does not pay: the inequality of proofs of sampling.

Who cheats saves `saving` on an answer; caught, it loses the answer's `reward` and what is not settled yet. With a share
`returned` of that coming back to it in the end, a chance `power` that an audit finds a cheat and `alpha` that it blames
an honest answer, cheating loses in the mean where p > saving / ((1 - returned) (power - alpha) (reward + unsettled)).
Without the two errors this is the bound of arXiv 2405.00295 (version 3).
"""

from __future__ import annotations

import math


def floor(
    saving: float, reward: float, unsettled: float, *, returned: float = 0.1, alpha: float = 0.0, power: float = 1.0
) -> float:
    """Returns the least share of answers to audit, at most 1. Amounts are in one unit, whichever."""
    if not (0 <= returned < 1 and 0 <= alpha < power <= 1 and reward > 0 <= unsettled):
        raise ValueError(f"floor was asked for returned={returned!r}, alpha={alpha!r}, power={power!r}, {reward=!r}")
    return min(1.0, saving / ((1 - returned) * (power - alpha) * (reward + unsettled)))


def honest_loss(share: float, reward: float, unsettled: float, *, returned: float = 0.1, alpha: float = 0.0) -> float:
    """Returns what an honest provider loses in the mean on an answer, by audits that blame it wrongly."""
    return share * alpha * (1 - returned) * (reward + unsettled)


def rounded_up(share: float, digits: int = 3) -> float:
    """Returns a share to so many digits, upwards: a bound that must be exceeded is not rounded down."""
    scale = 10.0 ** (digits - 1 - math.floor(math.log10(share)))
    return math.ceil(share * scale - 1e-9) / scale
