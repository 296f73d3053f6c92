"""Records canaries: has a trusted engine answer fresh questions, and keeps those that it answers the same every time.

Questions of ours are short sums, spellings and orders with one right answer, so that honest machines, which differ in a
token of a long text now and then, agree on all of it. Whoever reads this knows how they look: an operator's own are
better. Only those are kept whose answer came out equal each time.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Line
from mercato.compute.model import Surface
from mercato.compute.verify.checker import PATHS, answered
from mercato.compute.verify.known import Canary

TIMES = 3  # answers that have to be equal
AT_ONCE = 4
TOKENS = 64  # of an answer
LONGEST = 2_000  # characters of an answer that is kept
WORDS = (
    "apple", "river", "candle", "window", "copper", "meadow", "violin", "harbor", "saddle", "pepper", "lantern",
    "garden", "silver", "thunder", "pillow", "marble", "orchard", "compass", "feather", "kettle", "basket", "cinnamon",
)  # fmt: skip
ASK = (
    "What is {a} times {b}? Answer with the number only.",
    "What is {a} plus {b}, minus {c}? Answer with the number only.",
    "Spell the words '{w} {v}' backwards. Answer with the letters only.",
    "Sort these words by the alphabet, with commas between them, and write nothing else: {w}, {v}, {u}.",
    "Write the numbers from {c} to {d}, with spaces between them, and nothing else.",
    'Write a JSON object with the member "{w}" of the value {a} and the member "{v}" of the value {b}, and no more.',
)


def question(rng: Random) -> str:
    """Returns a fresh question."""
    w, v, u = rng.sample(WORDS, 3)
    c = rng.randrange(2, 80)
    return rng.choice(ASK).format(
        a=rng.randrange(12, 990), b=rng.randrange(12, 990), c=c, d=c + rng.randrange(4, 12), w=w, v=v, u=u
    )


async def recorded(line: Line, model: str, name: str, texts: Iterable[str]) -> list[Canary]:
    """Asks a trusted engine, which calls the model `name`, some questions; returns those that may be used.

    Unreached where the engine cannot be.
    """
    room = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(_recorded(line, model, name, text, room) for text in dict.fromkeys(texts)))
    return [one for one in found if one is not None]


async def _recorded(line: Line, model: str, name: str, text: str, room: asyncio.Semaphore) -> Canary | None:
    messages = [{"role": "user", "content": text}]
    body = {"model": name, "messages": messages, "temperature": 0, "max_tokens": TOKENS}
    async with room:
        answers = [await said(line, body) for _ in range(TIMES)]
    answer = answers[0].strip()
    if not 0 < len(answer) <= LONGEST or len({each.strip() for each in answers}) > 1:
        return None
    return Canary(f"r_{secrets.token_hex(8)}", model, messages, TOKENS, [answer], "exact")


async def said(line: Line, body: Mapping[str, Any]) -> str:
    """Returns the text that an engine answers a chat with; Unreached where there is none."""
    status, raw = await answered(line, PATHS[Surface.CHAT], body, "upstream")
    try:
        return str(json.loads(raw)["choices"][0]["message"]["content"] or "")
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise Unreached("protocol", f"upstream answered with status {status} and no message") from None
