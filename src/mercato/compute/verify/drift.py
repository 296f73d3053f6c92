"""How commitments of honest machines differ from what the reference has: which limits to set for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Line
from mercato.compute.gateway.tally import Tally
from mercato.compute.model import Surface
from mercato.compute.verify import canary
from mercato.compute.verify.calibration import AT_ONCE, FEWEST
from mercato.compute.verify.checker import PATHS, Checker, answered
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.match import Cut, Limits, upper
from mercato.compute.verify.toploc import HARD, Errors, Opened

HEAT, TOKENS = 1.0, 132  # of what is asked: commitments to four whole stretches, that chance wrote


@dataclass(frozen=True, slots=True)
class Drift:
    """What was measured: answers with commitments, the limits for these, and a bound of the honest share of fails."""

    answers: int
    limits: Limits
    honest: float


async def drift(line: Line, states: Checker, model: str, name: str, answers: int, rng: Random) -> Drift:
    """Asks an honest upstream that commits, which calls the model `name`, and opens what came with each answer.

    Unreached where too few could be opened, or commitments are missing.
    """
    room = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(_opened(line, states, model, _body(rng, name), room) for _ in range(answers)))
    opened = [it for it in found if it is not None and it.tells]
    whole = sum(not it.missing for it in opened)
    if whole < max(FEWEST, len(opened)):
        hint = "ask for more answers, and see whether the upstream commits and the reference tells states"
        raise Unreached("protocol", f"commitments of {whole} of {answers} answers could be opened", hint=hint)
    limits, honest = calibrated(opened)
    return Drift(len(opened), limits, honest)


def calibrated(honest: Sequence[Opened], risk: float = 1e-3) -> tuple[Limits, float]:
    """Returns limits for commitments of honest answers, and an upper bound of the share of answers that these fail,
    wrong with a chance of `risk`: of each measure twice what one in a hundred of the first half exceeds, and a bound
    from the other half."""
    half = len(honest) // 2
    seen, held = honest[:half], honest[half:]
    exponents, mean, median = (_twice(seen, of) for of in (_exponents, _mean, _median))
    limits = Limits(min(HARD, round(exponents)), mean, median)
    return limits, upper(sum(it.fails(Cut(limits=limits)) for it in held), len(held), risk)


def _twice(seen: Sequence[Opened], of: Callable[[Errors], float]) -> float:
    worst = sorted(max(of(it) for it in one.errors) for one in seen)
    return max(1.0, 2 * worst[min(len(worst) - 1, len(worst) * 99 // 100)])


def _exponents(errors: Errors) -> float:
    return errors.exponents


def _mean(errors: Errors) -> float:
    return errors.mean


def _median(errors: Errors) -> float:
    return errors.median


def _body(rng: Random, name: str) -> dict[str, Any]:
    messages = canary.question(rng, name, "")["messages"]
    return {"model": name, "messages": messages, "temperature": HEAT, "max_tokens": TOKENS}


async def _opened(
    line: Line, states: Checker, model: str, body: Mapping[str, Any], room: asyncio.Semaphore
) -> Opened | None:  # fmt: skip
    async with room:
        status, raw = await answered(line, PATHS[Surface.CHAT], body, "upstream")
        if status != 200:
            raise Unreached(str(status), f"upstream answered with status {status}")
        tally = Tally(Surface.CHAT)
        tally.answer(raw)
        one = tally.said()[0]
        shown = Exhibit(Surface.CHAT, body, one.text, matched=False, proofs=one.proofs)
        found = await states.check(shown, model)
        return found if isinstance(found, Opened) else None
