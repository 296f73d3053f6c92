"""How fast an upstream is, measured by its owner's own node: for the owner's eyes, before a price is set.

Nothing of it goes into an offer: the gateway measures what it gets, and believes nobody's figures.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from dataclasses import dataclass

from mercato.compute.errors import Unreached
from mercato.compute.node.upstream import Upstream

TOKENS = 64
WORDS = "Count from one to fifty in words."


@dataclass(frozen=True, slots=True)
class Speed:
    """Medians of some requests at once: milliseconds to the first piece, pieces a second of one answer, and of all
    together. A piece is an event of the stream, which is a token for most servers. `failed` gave no answer."""

    at_once: int
    first_ms: int
    each_per_second: int
    all_per_second: int
    failed: int


async def measured(upstream: Upstream, model: str, at_once: int) -> Speed:
    """Returns how an upstream does with so many streams at once; zeros where none came to an end."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    runs = await asyncio.gather(*(_run(upstream, model) for _ in range(at_once)), return_exceptions=True)
    took = loop.time() - began
    good = [run for run in runs if not isinstance(run, BaseException)]
    for failed in runs:
        if isinstance(failed, BaseException) and not isinstance(failed, Unreached):
            raise failed
    if not good:
        return Speed(at_once, 0, 0, 0, at_once)
    first = statistics.median(first for first, _, _ in good)
    rates = [(count - 1) / (whole - first) for first, whole, count in good if whole > first and count > 1]
    together = sum(count for _, _, count in good) / took
    each = statistics.median(rates) if rates else 0.0
    return Speed(at_once, round(first * 1000), round(each), round(together), at_once - len(good))


async def _run(upstream: Upstream, model: str) -> tuple[float, float, int]:
    """Returns seconds to the first piece and to the end, and how many pieces came."""
    body = {"model": model, "messages": [{"role": "user", "content": WORDS}], "max_tokens": TOKENS, "stream": True}
    loop = asyncio.get_running_loop()
    began, first, count = loop.time(), 0.0, 0
    async with upstream.sent(
        "/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    ) as got:
        if got.status != 200:
            raise Unreached(str(got.status))
        rest = b""
        async for piece in got.content.iter_any():
            first = first or loop.time() - began
            *events, rest = (rest + piece).split(b"\n\n")
            count += sum(1 for event in events if event.startswith(b"data: {"))
    return first, loop.time() - began, count
