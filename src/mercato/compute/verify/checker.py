"""A reference that scores what others served: how many of the claimed tokens it would have written itself.

It asks an engine that tells ranks of a prompt's tokens, as vLLM does with `prompt_logprobs`: the claimed answer is
given as the beginning of the last message, and a token of rank 1 is one that the reference would have written. One
prefill judges a whole answer. The shape of what the engine says is checked, and it decides no more than this.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Line, Patience
from mercato.compute.model import ProviderId, Surface
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.match import MOST, Match

PATIENCE = Patience(connect=5, first=60, idle=30, total=120)
REFUSED = frozenset({400, 413, 422})
KEPT = ("messages", "chat_template_kwargs")
WIDEST = 16 << 20  # octets of a reference's answer


class Checker(Protocol):
    """Whoever can judge answers. `name` goes into the audit; `provider` is what it is called as one of those judged."""

    name: str
    provider: ProviderId

    async def check(self, exhibit: Exhibit, model: str) -> Match | None:
        """Returns how an answer matches; None where it cannot be judged. Unreached where the reference is away."""
        ...


class Reference:
    """A trusted engine behind a line. `models` are its names for ours."""

    def __init__(self, name: str, provider: ProviderId, line: Line, models: Mapping[str, str]) -> None:
        self.name, self.provider, self._line, self._models = name, provider, line, dict(models)

    async def check(self, exhibit: Exhibit, model: str) -> Match | None:
        """Returns how many of the answer's first tokens are what the reference would have written."""
        if exhibit.surface is not Surface.CHAT or model not in self._models or "messages" not in exhibit.body:
            return None
        about = {name: exhibit.body[name] for name in KEPT if name in exhibit.body}
        about |= {"model": self._models[model], "max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
        asked = await self._ranks({**about, "add_generation_prompt": True})
        if asked is None:
            return None
        claimed = {"role": "assistant", "content": exhibit.answer}
        said = {"messages": [*about["messages"], claimed], "add_generation_prompt": False}
        both = await self._ranks({**about, **said, "continue_final_message": True})
        answer = (both or [])[len(asked) :][:MOST]
        return Match(len(answer), sum(rank == 1 for rank in answer)) if answer else None

    async def _ranks(self, body: Mapping[str, Any]) -> list[int] | None:
        """Returns the rank of each token that was read; the first one has none, and counts as expected. None where the
        reference cannot read such a question: asking again would not help."""
        raw = json.dumps(body).encode()
        reply = await self._line.open("/chat/completions", raw, {"content-type": "application/json"}, deadline=PATIENCE)
        try:
            parts, size = [], 0
            async for part in reply.chunks():
                parts.append(part)
                size += len(part)
                if size > WIDEST:
                    raise Unreached("size", f"reference {self.name!r} sent more than {WIDEST} octets")
        finally:
            await reply.close()
        if reply.status in REFUSED:
            return None
        if reply.status != 200:
            raise Unreached(str(reply.status), f"reference {self.name!r} answered with status {reply.status}")
        return _ranks(b"".join(parts), self.name)


def _ranks(raw: bytes, name: str) -> list[int]:
    try:
        found = json.loads(raw)["prompt_logprobs"]
        return [1 if place is None else int(next(iter(place.values()))["rank"]) for place in found]
    except (ValueError, KeyError, TypeError, StopIteration, AttributeError, RecursionError):
        hint = "it must tell prompt_logprobs, as vLLM does"
        raise Unreached("protocol", f"reference {name!r} told no ranks of tokens", hint=hint) from None
