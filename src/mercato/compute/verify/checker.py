"""A reference that scores what others served: how many of the claimed tokens it would have written itself.

It asks an engine that tells ranks of a prompt's tokens, as vLLM does with `prompt_logprobs`: the claimed answer is
given as the beginning of the last message, or as the end of the prompt, and a token of rank 1 is one that the reference
would have written. Where a seed had a part, the likeliest tokens' probabilities tell which one it would have drawn.
One prefill judges a whole answer. The shape of what the engine says is checked, and it decides no more than this.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mercato.compute.errors import Unreached
from mercato.compute.gateway.line import Line, Patience, whole
from mercato.compute.model import ProviderId, Surface
from mercato.compute.verify import synced
from mercato.compute.verify.exhibit import Exhibit
from mercato.compute.verify.match import MOST, Match
from mercato.compute.verify.record import Finding
from mercato.compute.verify.vectors import BILLIONTHS, Gap, Sampled, Vector, gap, vector

PATIENCE = Patience(connect=5, first=60, idle=30, total=120)
REFUSED = frozenset({400, 413, 422})
UNSERVED = frozenset({404, 405, 501})  # of a model that makes no embeddings
KEPT = ("messages", "chat_template_kwargs")
WIDEST = 16 << 20  # octets of a reference's answer
LIKELIEST = 20  # tokens whose probabilities a seeded answer is judged by: as many as vLLM tells by default
PATHS = {Surface.CHAT: "/chat/completions", Surface.COMPLETIONS: "/completions"}
EMBEDDINGS = "/embeddings"


class Checker(Protocol):
    """Whoever can judge answers. `name` goes into the audit; `provider` is what it is called as one of those judged."""

    name: str
    provider: ProviderId

    async def check(self, exhibit: Exhibit, model: str) -> Finding | None:
        """Returns how an answer matches; None where it cannot be judged. Unreached where the reference is away."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """What a reference tells of one token that it read: its rank, and the likeliest ones there with their scores."""

    id: int
    rank: int
    scores: Mapping[int, float]


class Reference:
    """A trusted engine behind a line. `models` are its names for ours."""

    def __init__(self, name: str, provider: ProviderId, line: Line, models: Mapping[str, str]) -> None:
        self.name, self.provider, self._line, self._models = name, provider, line, dict(models)

    async def check(self, exhibit: Exhibit, model: str) -> Finding | None:
        """Returns how many of an answer's first tokens the reference would have written, or how far its vectors are
        from the reference's."""
        if model not in self._models:
            return None
        if exhibit.sampled is not None:
            return await self._embedded(exhibit.sampled, exhibit.body, self._models[model])
        return await self._matched(exhibit, model) if exhibit.answer else None

    async def _matched(self, exhibit: Exhibit, model: str) -> Match | None:
        told = LIKELIEST if exhibit.seeded else 0
        about = {"model": self._models[model], "max_tokens": 1, "temperature": 0, "prompt_logprobs": told}
        answer = (await self._answer(exhibit, about))[:MOST]
        if not answer:
            return None
        if exhibit.seeded:
            heat = float(exhibit.body.get("temperature", 1))
            same = synced.matching([(it.id, it.scores) for it in answer], exhibit.body["seed"], heat)
        else:
            same = sum(it.rank == 1 for it in answer)
        return Match(len(answer), same)

    async def _embedded(self, sampled: Sampled, body: Mapping[str, Any], model: str) -> Gap | None:
        """Returns how far vectors are from the reference's; None where it does not make such."""
        wanted = {"dimensions": body["dimensions"]} if body.get("dimensions") else {}
        about = {"model": model, "input": list(sampled.inputs), "encoding_format": "float", **wanted}
        raw = await heard(self._line, EMBEDDINGS, about, self.name, refused=REFUSED | UNSERVED)
        own = None if raw is None else _vectors(raw, len(sampled.inputs), self.name)
        if own is None or (wanted and {len(it) for it in own} != set(wanted.values())):
            return None  # it has none for these, or makes them as long as it likes
        pairs = zip(sampled.vectors, own, strict=True)
        return Gap(len(own), max(BILLIONTHS if one is None else gap(one, other) for one, other in pairs))

    async def _answer(self, exhibit: Exhibit, about: dict[str, Any]) -> Sequence[Token]:
        """Returns the tokens of an answer; none where the reference cannot read such a question. Those of a continued
        text begin with the first that is not the prompt's alone: where both meet, a token may hold a piece of each."""
        read = forms(exhibit)
        asked = await self._read(exhibit.surface, read[0] | about) if read else None
        if read is None or asked is None:
            return ()
        both = await self._read(exhibit.surface, read[1] | about) or []
        if exhibit.surface is Surface.CHAT:
            return both[len(asked) :]
        pairs = enumerate(zip(asked, both, strict=False))
        return both[next((at for at, (one, other) in pairs if one.id != other.id), len(asked)) :]

    async def _read(self, surface: Surface, body: Mapping[str, Any]) -> list[Token] | None:
        """Returns what is told of each token that was read; the first one has no rank, and counts as expected. None
        where the reference cannot read such a question: asking again would not help."""
        raw = await heard(self._line, PATHS[surface], body, self.name)
        return None if raw is None else _tokens(raw, self.name, surface)


async def answered(
    line: Line, path: str, body: Mapping[str, Any], who: str, *, most: int = WIDEST
) -> tuple[int, bytes]:  # fmt: skip
    """Returns the status and the whole of what an engine answers; Unreached where that is too much, or none comes."""
    headers = {"content-type": "application/json"}
    reply = await line.open(path, json.dumps(body).encode(), headers, deadline=PATIENCE)
    return reply.status, await whole(reply, most, Unreached("size", f"{who} sent more than {most} octets"))


async def heard(
    line: Line, path: str, body: Mapping[str, Any], name: str, *, most: int = WIDEST, refused: Container[int] = REFUSED
) -> bytes | None:
    """Returns what the reference of a name answers; None where it cannot read such a question."""
    status, raw = await answered(line, path, body, f"reference {name!r}", most=most)
    if status in refused:
        return None
    if status != 200:
        raise Unreached(str(status), f"reference {name!r} answered with status {status}")
    return raw


def forms(exhibit: Exhibit) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Returns what to have read of a question alone, and with its answer as the beginning of the last message, or as
    the end of the prompt; None for what has no such."""
    if exhibit.surface is Surface.CHAT and "messages" in exhibit.body:
        body = {name: exhibit.body[name] for name in KEPT if name in exhibit.body}
        messages = [*body["messages"], {"role": "assistant", "content": exhibit.answer}]
        said = {"messages": messages, "add_generation_prompt": False, "continue_final_message": True}
        return {**body, "add_generation_prompt": True}, {**body, **said}
    prompt = exhibit.body.get("prompt")
    if exhibit.surface is Surface.COMPLETIONS and isinstance(prompt, str):
        return {"prompt": prompt}, {"prompt": prompt + exhibit.answer}
    return None


def _tokens(raw: bytes, name: str, surface: Surface) -> list[Token]:
    """Reads `prompt_logprobs`: beside the choices for a chat, in the first one for a text. At each place the token that
    stands there comes first."""
    try:
        found = json.loads(raw)
        told = (found if surface is Surface.CHAT else found["choices"][0])["prompt_logprobs"]
        return [_token(place) for place in told]
    except (ValueError, KeyError, IndexError, TypeError, StopIteration, AttributeError, RecursionError):
        hint = "it must tell prompt_logprobs, as vLLM does"
        raise Unreached("protocol", f"reference {name!r} told no ranks of tokens", hint=hint) from None


def _vectors(raw: bytes, count: int, name: str) -> list[Vector] | None:
    """Reads an answer's vectors, in the order of the inputs; None where one is none, such as of numbers that are not
    finite."""
    try:
        data = sorted(json.loads(raw)["data"], key=lambda one: one["index"])
        found = [vector(one["embedding"]) for one in data]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = []
    if len(found) != count:
        raise Unreached("protocol", f"reference {name!r} gave {len(found)} vectors for {count} inputs")
    sound = [it for it in found if it is not None]
    return sound if len(sound) == count else None


def _token(place: Mapping[str, Mapping[str, Any]] | None) -> Token:
    if place is None:
        return Token(-1, 1, {})
    scores = {int(id): float(one["logprob"]) for id, one in place.items()}
    first = next(iter(place))
    return Token(int(first), int(place[first]["rank"]), scores)
