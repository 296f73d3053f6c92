"""How honest answers of real machines differ from the reference: what cut and what share of fails to expect of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Line
from mercato.compute.gateway.tally import Tally
from mercato.compute.model import Surface
from mercato.compute.verify import canary, vectors
from mercato.compute.verify.checker import EMBEDDINGS, Checker, answered
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.match import Cut, Match, calibrated
from mercato.compute.verify.recording import said
from mercato.compute.verify.vectors import Gap

FEWEST = 40  # answers below which no share can be told
AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured: answers that could be judged, the cut, and a bound of the honest share of fails."""

    answers: int
    match: float
    cut: Cut
    honest: float


@dataclass(frozen=True, slots=True)
class Distances:
    """What was measured of embeddings: answers, the largest distance that passes, as 1 - cosine, and a bound of the
    honest share of fails."""

    answers: int
    apart: float
    honest: float


async def calibrate(
    line: Line, checker: Checker, model: str, name: str, answers: int, rng: Random, *, synced: bool = False
) -> Calibration:
    """Asks an honest upstream, which calls the model `name`, and the checker about each answer. One that draws as
    `synced` says is asked at higher temperatures too.

    Unreached where too few could be judged. Half of the answers set the cut, the others bound the share that fails.
    """
    questions = [_question(rng, name, synced) for _ in range(answers)]
    room = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(_judged(line, checker, model, body, room) for body in questions))
    matches: list[Match] = [match for match in found if match is not None and match.tells]
    _enough(len(matches), answers, "tells prompt_logprobs")
    cut, honest = calibrated(matches)
    share = sum(match.same for match in matches) / sum(match.tokens for match in matches)
    return Calibration(len(matches), share, cut, honest)


async def distances(line: Line, checker: Checker, model: str, name: str, answers: int, rng: Random) -> Distances:
    """Asks an honest upstream, which calls the model `name`, for embeddings, and the checker about each answer.

    Unreached where too few could be judged. Each answer has as many vectors as an audit looks at: one with fewer fails
    less often.
    """
    bodies = [{"model": name, "input": [_text(rng, name) for _ in range(vectors.MOST)]} for _ in range(answers)]
    room = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(_apart(line, checker, model, body, room, rng) for body in bodies))
    gaps = [it.far for it in found if it is not None]
    _enough(len(gaps), answers, "serves embeddings of the model")
    cut, honest = vectors.calibrated(gaps)
    return Distances(len(gaps), cut / vectors.BILLIONTHS, honest)


def _enough(judged: int, answers: int, need: str) -> None:
    if judged < FEWEST:
        hint = f"ask for more answers, or see whether the checker {need}"
        raise Unreached("protocol", f"only {judged} of {answers} answers could be judged", hint=hint)


async def _apart(
    line: Line, checker: Checker, model: str, body: Mapping[str, Any], room: asyncio.Semaphore, rng: Random
) -> Gap | None:
    async with room:
        status, raw = await answered(line, EMBEDDINGS, body, "upstream")
        tally = Tally(Surface.EMBEDDINGS)
        if status != 200:
            raise Unreached(str(status), f"upstream answered with status {status}")
        tally.answer(raw)
        sampled = vectors.drawn(body["input"], tally.vectors, rng)
        found = await checker.check(Exhibit(Surface.EMBEDDINGS, body, sampled=sampled), model)
        return found if isinstance(found, Gap) else None


def _text(rng: Random, name: str) -> str:
    return str(canary.question(rng, name, "")["messages"][0]["content"])


def _question(rng: Random, name: str, synced: bool) -> dict[str, Any]:
    body = canary.question(rng, name, "", synced=synced)
    return {key: value for key, value in body.items() if key not in ("stream", "provider")}


async def _judged(
    line: Line, checker: Checker, model: str, body: Mapping[str, Any], room: asyncio.Semaphore
) -> Match | None:  # fmt: skip
    async with room:
        answer = await said(line, body)
        shown = Exhibit(Surface.CHAT, body, answer, synced="seed" in body)
        found = await checker.check(shown, model) if answer else None
        return found if isinstance(found, Match) else None
