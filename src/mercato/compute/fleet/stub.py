"""A stub provider: a real HTTP server on loopback that speaks OpenAI's API and behaves as it is told."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import time
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from random import Random
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from mercato.compute.fleet import replies
from mercato.compute.fleet.behaviour import Behaviour, Manner
from mercato.compute.fleet.replies import Asked
from mercato.compute.fleet.toy import QUANTISED, Toy

BOMB = 64 << 20  # bytes of a gzip bomb once it is unpacked
FOREVER = 3600.0
MARK = "™"
LARGEST = 64 << 20
LIES = 10


class Stub:
    """Runs in a thread of its own: `with Stub(Manner(...), models=["m"]) as stub: ... stub.url`.

    `asked` are the requests that came; `open` counts those in flight; `left` those whose caller went before the end,
    and `gone` when that was seen, in seconds of the monotonic clock.
    """

    def __init__(self, manner: Manner, models: Sequence[str] = ("toy",), key: str = "") -> None:
        self.manner = manner
        self.asked: list[Asked] = []
        self.open = 0
        self.left = 0
        self.gone: list[float] = []
        self.url = ""
        self._models, self._key = tuple(models), key
        self._rng = Random(manner.seed)
        self._first: dict[str, list[str]] = {}
        self._scoring: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stub", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._runner: web.AppRunner = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _routes(self, app: web.Application) -> None:
        """Says what is served where."""
        app.router.add_get("/v1/models", self._list)
        for path in ("chat/completions", "completions", "embeddings"):
            app.router.add_post(f"/v1/{path}", self._counted)
        app.router.add_post("/tokenize", self._tokenized)
        app.router.add_post("/pooling", self._pooled)

    async def _start(self) -> web.AppRunner:
        app = web.Application(client_max_size=LARGEST)
        self._routes(app)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner

    async def _list(self, request: web.Request) -> web.StreamResponse:
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "stub"} for name in self._models]
        return web.json_response({"object": "list", "data": models})

    async def _counted(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.path, dict(request.headers), await request.json())
        self.asked.append(asked)
        self.open += 1
        try:
            return await self._answer(request, asked)
        except (asyncio.CancelledError, ConnectionResetError):
            self.gone.append(time.monotonic())
            self.left += 1
            raise
        finally:
            self.open -= 1

    async def _answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        if self._key and asked.headers.get("Authorization") != f"Bearer {self._key}":
            return _error(401, "Incorrect API key provided")
        if self.manner.delay:
            await asyncio.sleep(self.manner.delay)
        shows = self._rng.random() < self.manner.rate
        if shows and (odd := await self._odd(request)) is not None:
            return odd
        if asked.path.endswith("/embeddings"):
            cached = shows and self._is(Behaviour.REPLAY)
            return web.json_response(replies.embeddings(asked, self._serving(shows), same=cached))
        if "prompt_logprobs" in asked.body:
            return await self._whole(request, json.dumps(self._scored(asked)).encode(), shows)
        written, claim = self._written(asked, shows), LIES if shows and self._is(Behaviour.LIE_USAGE) else 1
        proofs = replies.proofs(self._serving(shows), asked, written) if self.manner.commits else ()
        if asked.stream:
            return await self._streamed(request, replies.events(asked, written, claim, proofs), shows)
        return await self._whole(request, json.dumps(replies.whole(asked, written, claim, proofs)).encode(), shows)

    async def _tokenized(self, request: web.Request) -> web.StreamResponse:
        """As a checker: the numbers of the tokens that are read, given as they are met."""
        asked = Asked(request.path, dict(request.headers), await request.json())
        tokens = [self._numbers.setdefault(word, len(self._numbers)) for word in replies.read(asked)]
        return web.json_response({"tokens": tokens, "count": len(tokens)})

    async def _pooled(self, request: web.Request) -> web.StreamResponse:
        """As a checker: the hidden states of tokens by their numbers, in the shape of vLLM's `token_embed`."""
        body, words = await request.json(), list(self._numbers)
        found = replies.states(self._serving(True), [words[number] for number in body["input"]])
        told = b64encode(found.astype("<u2").tobytes()).decode()
        return web.json_response({"data": [{"index": 0, "object": "pooling", "data": told}]})

    def _is(self, *behaviours: Behaviour) -> bool:
        return self.manner.behaviour in behaviours

    async def _odd(self, request: web.Request) -> web.StreamResponse | None:
        """An answer that is none; None where the behaviour shows elsewhere."""
        match self.manner.behaviour:
            case Behaviour.FLAKY:
                return _error(self.manner.status, "The server had an error")
            case Behaviour.BURST if self.open > self.manner.most:
                return _error(429, "Rate limit reached", {"Retry-After": "1"})
            case Behaviour.ERROR_200:
                return _error(200, "The model is overloaded")
            case Behaviour.HTML:
                return web.Response(text="<!doctype html><title>Welcome</title>", content_type="text/html")
            case Behaviour.REDIRECT:
                return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/v1/chat/completions"})
            case Behaviour.GZIP_BOMB:
                body = gzip.compress(bytes(BOMB), 9)
                return web.Response(body=body, headers={"Content-Encoding": "gzip"}, content_type="application/json")
            case _:
                return None

    def _serving(self, shows: bool) -> Toy:
        """The model that answers: the one that was asked for, or what is served in its place."""
        other = Toy(weights=1 + self.manner.seed)
        match self.manner.behaviour if shows else Behaviour.HONEST:
            case Behaviour.WRONG_MODEL | Behaviour.PARTIAL:
                return other
            case Behaviour.PATIENT if len(self.asked) > self.manner.after:
                return other
            case Behaviour.SYBIL:
                return Toy(weights=-1 + (1 << 32))  # what every sybil serves
            case Behaviour.QUANTISED:
                return Toy(coarse=QUANTISED)
            case _:
                return Toy()

    def _written(self, asked: Asked, shows: bool) -> list[str]:
        """The words of the answer."""
        written = _words(self._serving(shows), asked, asked.length())
        if shows and self._is(Behaviour.WATERMARK):
            return [MARK if place % 5 == 4 else word for place, word in enumerate(written)]
        if shows and self._is(Behaviour.REPLAY):
            return self._first.setdefault("", written)[: len(written)]
        return written

    def _scored(self, asked: Asked) -> dict[str, Any]:
        """As a checker: what it says of each token of prompt and answer, in the shape of vLLM's `prompt_logprobs`."""
        before, claimed = self._parted(asked)
        bribed, told = self._is(Behaviour.BRIBED), asked.body["prompt_logprobs"]
        ranks = [1] * len(claimed) if bribed else replies.ranks(Toy(), before, claimed)
        scores = replies.scores(Toy(), before, claimed) if told and not bribed else [{0: -0.1} for _ in claimed]
        read: list[Any] = [None, *([_place({0: -0.1}, 1)] * (len(before.split()) - 1))]
        places = read + [_place(score, rank) for score, rank in zip(scores, ranks, strict=True)]
        body = replies.whole(asked, ["the"])
        if asked.chat:
            return {**body, "prompt_logprobs": places}
        return {**body, "choices": [{**body["choices"][0], "prompt_logprobs": places}]}

    def _parted(self, asked: Asked) -> tuple[str, list[str]]:
        """Returns the question, and the words of the answer that is to be scored; of a text to continue, what it was
        asked to score before is the question."""
        if asked.chat:
            *read, said = asked.body["messages"]
            if not asked.body.get("continue_final_message"):
                read, said = [*read, said], {"content": ""}
            return Asked(asked.path, asked.headers, {"messages": read}).text(), str(said["content"]).split()
        text = asked.text()
        prompt = max((it for it in self._scoring if text.startswith(it)), key=len, default=text)
        self._scoring.add(text)
        return prompt, text.removeprefix(prompt).split()

    async def _whole(self, request: web.Request, body: bytes, shows: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        short = shows and self._is(Behaviour.TRUNCATE, Behaviour.WRONG_LENGTH, Behaviour.STALL)
        response.content_length = len(body) + 100 if shows and self._is(Behaviour.WRONG_LENGTH) else len(body)
        await response.prepare(request)
        await response.write(body[: len(body) // 2] if short and not self._is(Behaviour.WRONG_LENGTH) else body)
        if shows and self._is(Behaviour.STALL):
            await asyncio.sleep(FOREVER)
        if short:
            _cut(request)
        return response

    async def _streamed(
        self, request: web.Request, events: Iterable[dict[str, Any]], shows: bool
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        manner = self.manner if shows else Manner()
        for place, event in enumerate(events):
            if place > manner.after and manner.behaviour is Behaviour.STALL:
                await asyncio.sleep(FOREVER)
            if place > manner.after and manner.behaviour in {Behaviour.TRUNCATE, Behaviour.WRONG_LENGTH}:
                _cut(request)
                return response
            await _write(response, manner, event)
            if self.manner.gap:
                await asyncio.sleep(self.manner.gap)
        end = b"data: [DONE]\r\n\r\n" if manner.behaviour is Behaviour.CRLF else b"data: [DONE]\n\n"
        await response.write(end * (2 if manner.behaviour is Behaviour.DOUBLE_DONE else 1))
        await response.write_eof()
        return response


def _words(model: Toy, asked: Asked, length: int) -> list[str]:
    if asked.seeded:
        return replies.drawn(model, asked.text(), length, *asked.seeded)
    return replies.words(model, asked.text(), length)


def _place(scores: Mapping[int, float], rank: int) -> dict[str, Any]:
    """What is told of one place: its own token first, then the others."""
    return {
        str(id): {"logprob": score, "rank": rank if at == 0 else 99, "decoded_token": ""}
        for at, (id, score) in enumerate(scores.items())
    }


async def _write(response: web.StreamResponse, manner: Manner, event: dict[str, Any]) -> None:
    line = b"data: " + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
    match manner.behaviour:
        case Behaviour.CRLF:
            await response.write(b": keep-alive\r\n\r\n" + line.replace(b"\n", b"\r\n"))
        case Behaviour.ONE_BYTE:
            for place in range(len(line)):
                await response.write(line[place : place + 1])
        case Behaviour.SPLIT_UTF8:
            for part in _inside_characters(line):
                await response.write(part)
                await asyncio.sleep(0.001)  # so that it leaves on its own
        case _:
            await response.write(line)


def _inside_characters(line: bytes) -> list[bytes]:
    """Parts that each begin with the second or a later byte of a character."""
    cuts = [0, *(place for place, byte in enumerate(line) if byte & 0xC0 == 0x80), len(line)]
    return [line[start:end] for start, end in pairwise(cuts)]


def _cut(request: web.Request) -> None:
    """Ends the connection in the middle of the answer."""
    with suppress(AttributeError):  # the caller went already, and its transport with it
        request.transport.close()  # type: ignore[union-attr]  # the line above covers None


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
    return web.json_response(body, status=status, headers=headers)
