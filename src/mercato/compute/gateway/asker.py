"""Asks one provider: sends the request, and returns an answer that has begun, or says why there is none."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from mercato.compute.errors import Declined, Unreached
from mercato.compute.gateway.asking import Asked, Voice
from mercato.compute.gateway.body import MOST_VALUES
from mercato.compute.gateway.client import LARGE_OCTETS
from mercato.compute.gateway.line import Line, Patience, Reply
from mercato.compute.gateway.sealing import Seal, Sealed
from mercato.compute.gateway.stream import Stream
from mercato.compute.gateway.tally import Tally, said
from mercato.compute.model import Surface
from mercato.compute.routing.router import Candidate

PATHS = {
    Surface.CHAT: "/chat/completions",
    Surface.COMPLETIONS: "/completions",
    Surface.EMBEDDINGS: "/embeddings",
    Surface.RESPONSES: "/chat/completions",
}
#: The request was at fault: no other provider is asked, and the client is told what this one said.
FAULTS = frozenset({400, 413, 422})
MOST_SAID = 64 * 1024


@dataclass(slots=True)
class Begun:
    """An answer of a provider: a stream that has said its first word, or a whole body."""

    candidate: Candidate
    reply: Reply
    tally: Tally
    voice: Voice | None = None
    stream: Stream | None = None
    whole: bytes = b""

    @property
    def seal(self) -> Seal | None:
        """Returns what an enclave would have signed of the answer; None where there is none."""
        return self.reply.seal() if isinstance(self.reply, Sealed) else None


async def ask(line: Line, candidate: Candidate, asked: Asked, patience: Patience, request: str) -> Begun:
    """Returns what a provider answers, once its first word, or all of it, is here.

    Unreached where it failed, so that another one may be asked; Declined where the request was at fault.
    """
    stream = asked.need.stream
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/json",
        "x-request-id": request,
    }
    if not stream:  # nothing comes before all of it is written, so its first word has the time of the whole
        patience = Patience(patience.connect, patience.total, patience.idle, patience.total)
    name = candidate.offer.upstream or candidate.offer.model
    body = await asyncio.to_thread(asked.raw, name) if len(asked.body.text) > LARGE_OCTETS else asked.raw(name)
    began = asyncio.get_running_loop().time()
    reply: Reply = await line.open(PATHS[asked.need.surface], body, headers, deadline=patience)
    if candidate.offer.tee and asked.need.surface is not Surface.EMBEDDINGS:  # vectors are not signed
        reply = Sealed(reply, body)
    try:
        if reply.status != 200:
            raise await _refused(reply)
        voice = asked.voice(request) if asked.voice else None
        begun = Begun(candidate, reply, Tally(asked.need.surface, most=_values(asked)), voice)
        if stream:
            await _listen(begun, asked, began + patience.first)
    except BaseException:
        await reply.close()
        raise
    if not stream:
        await _read(begun)
    return begun


async def _listen(begun: Begun, asked: Asked, until: float) -> None:
    """Waits for the first word of a stream; lines themselves limit everything else."""
    _typed(begun.reply, "text/event-stream")
    begun.stream = Stream(begun.reply, begun.tally, usage=asked.usage, voice=begun.voice)
    try:
        async with asyncio.timeout_at(until):
            await begun.stream.first()
    except TimeoutError:
        raise Unreached("first-byte", "provider did not begin in its time") from None


async def _read(begun: Begun) -> None:
    """Reads a whole answer."""
    try:
        _typed(begun.reply, "application/json")
        parts = [chunk async for chunk in begun.reply.chunks()]
        begun.whole = parts[0] if len(parts) == 1 else b"".join(parts)
        if len(begun.whole) > LARGE_OCTETS:  # so that others' events go on meanwhile
            await asyncio.to_thread(_take, begun)
        else:
            _take(begun)
    finally:
        await begun.reply.close()


def _values(asked: Asked) -> int:
    """Returns how many values an answer, or an event of it, may hold: likelihoods take hundreds for each token."""
    return MOST_VALUES * (5 if "logprobs" in asked.need.features else 1)


def _take(begun: Begun) -> None:
    """Counts a whole answer, and puts it into the words that the client asked in."""
    begun.tally.answer(begun.whole)
    if begun.voice:
        begun.whole = begun.voice.whole(begun.whole)


def _typed(reply: Reply, wanted: str) -> None:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != wanted:
        raise Unreached("protocol", f"provider answered with {kind[:60]!r}, not {wanted}")


async def _refused(reply: Reply) -> Declined | Unreached:
    """Returns what an answer with another status than 200 means."""
    raw = b""
    async for chunk in reply.chunks():
        raw += chunk
        if len(raw) > MOST_SAID:
            break
    try:
        body = json.loads(raw[:MOST_SAID])
    except (ValueError, RecursionError):
        body = {}
    words = said(body) if body else ""
    if reply.status not in FAULTS:
        return Unreached(str(reply.status), f"provider answered {reply.status}: {words}"[:400])
    error = body.get("error") if isinstance(body, dict) else None
    param = error.get("param") if isinstance(error, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return Declined(
        f"provider refused the request: {words or reply.status}",
        param=param[:80] if isinstance(param, str) and param.isprintable() else "",
        code=code[:80] if isinstance(code, str) and code.isprintable() else "upstream_refused",
        status=reply.status,
    )
