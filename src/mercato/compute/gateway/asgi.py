"""The gateway as a raw ASGI application: who asks, for what, and which part of the gateway answers."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from mercato.compute.books.keys import Key
from mercato.compute.errors import Declined, Forbidden, Unserved
from mercato.compute.gateway import answers, asking, openapi, responses
from mercato.compute.gateway.asking import Asked
from mercato.compute.gateway.carry import Carrier
from mercato.compute.gateway.checks import Bounds, shown
from mercato.compute.gateway.client import LARGE_OCTETS, Client, Halted, Left, Receive, Room, Send, too_large
from mercato.compute.gateway.job import Job
from mercato.compute.gateway.states import Stage
from mercato.compute.model import Surface
from mercato.core.errors import MercatoError, NotFound

log = logging.getLogger("mercato.compute.gateway")
SURFACES = {
    "/v1/chat/completions": Surface.CHAT,
    "/v1/completions": Surface.COMPLETIONS,
    "/v1/embeddings": Surface.EMBEDDINGS,
    "/v1/responses": Surface.RESPONSES,
}
#: Headers that may be there once only: whoever stands between could take another one of two.
ONCE = frozenset(
    {b"authorization", b"x-api-key", b"content-type", b"content-length", b"idempotency-key", b"x-request-id"}
)
DRAINED_OCTETS = 256_000_000
Headers = Mapping[bytes, bytes]
View = Callable[[Client, Key, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker takes: octets of a body, of all large bodies together, and seconds for one, seconds in which a
    client takes what it is sent, seconds between signs of life, and requests at once."""

    body: int
    bodies: int
    reading: int | float
    sending: int | float
    beat: int | float
    requests: int


class Socket(Protocol):
    """What answers WebSockets: the door by which nodes dial in."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one WebSocket from its handshake to its end."""


class Gateway:
    """One worker's application. `views` are what can be read, by the start of their paths."""

    def __init__(
        self, carrier: Carrier, bounds: Bounds, limits: Limits, views: Mapping[str, View], tunnel: Socket | None = None
    ) -> None:
        self._carrier, self._bounds, self._limits, self._views = carrier, bounds, limits, dict(views)
        self._tunnel = tunnel
        self._room = Room(limits.bodies)
        self.live: set[Client] = set()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one request, or one WebSocket."""
        if scope["type"] == "websocket":
            if self._tunnel is None:
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._tunnel(scope, receive, send)
            return
        client = Client(scope, receive, send)
        self.live.add(client)
        try:
            await self._serve(scope, client)
        except Left:
            log.debug("a client left")
        finally:
            client.unwatch()
            self._room.held -= client.taken
            self.live.discard(client)

    def tend(self, now: float) -> list[Awaitable[None]]:
        """Is called every second: drops clients that take nothing and halts those under a kill switch; returns signs of
        life that are due."""
        stopped = self._carrier.desk.stopped
        for client in list(self.live):
            if stopped & client.scopes:
                client.halt()
        found = [client.tend(now, self._limits.beat, self._limits.sending) for client in list(self.live)]
        return [one for one in found if one is not None]

    async def _serve(self, scope: Mapping[str, Any], client: Client) -> None:
        job: Job | None = None
        try:
            path, method = scope["path"], scope["method"]
            looks = method in ("GET", "HEAD")
            if looks and path == "/health":
                await answers.say(client, 200, {"status": "ok"})
                return
            if looks and path == "/v1/openapi.json":
                await answers.say(client, 200, openapi.document(self._bounds))
                return
            headers = _headers(scope["headers"])
            view = None if path in SURFACES else self._view(path)
            _allowed(method, ("POST",) if path in SURFACES else ("GET", "HEAD"))
            key = await self._key(headers)
            if view is not None:
                await view(client, key, path)
                return
            job = await self._job(client, SURFACES[path], headers, key)
            await self._carrier.carry(job)
        except MercatoError as error:
            await self._refuse(client, error, job)
        except Halted:
            client.resume()
            await self._refuse(client, Forbidden("somebody turned the kill switch on", code="stopped"), job)
        except (Left, asyncio.CancelledError):
            raise
        except Exception:
            log.exception("request %s failed", job.request if job else "")
            await self._refuse(client, _broken(), job)

    async def _job(self, client: Client, surface: Surface, headers: Headers, key: Key) -> Job:
        """Returns a request that was read and found right; Declined for any other."""
        _typed(headers)
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limits.body:
            raise too_large(int(length), self._limits.body)
        if len(self.live) > self._limits.requests:
            raise Unserved(
                f"gateway had {len(self.live)} requests at once", hint="try again soon", status=429,
                code="rate_limit_exceeded", after=1,
            )  # fmt: skip
        raw = await client.body(self._limits.body, self._limits.reading, self._room)
        client.watch()
        client.scopes = frozenset({"platform", f"account:{key.account}", f"key:{key.id}"})
        if len(raw) > LARGE_OCTETS:  # so that others' events go on while it is read
            asked = await asyncio.to_thread(_read, surface, raw, self._bounds)
        else:
            asked = _read(surface, raw, self._bounds)
        return Job(client, asked, key, _once(headers, asked))

    async def _key(self, headers: Headers) -> Key:
        """Returns whose request it is; Declined, with 401, where no key is shown, or one that holds no more."""
        secret = headers.get(b"authorization", b"")
        kind, _, word = secret.partition(b" ")
        if kind.lower() != b"bearer":
            word = headers.get(b"x-api-key", b"")
        text = word.strip().decode("latin-1")
        if not text:
            raise _unknown("no API key was sent", "send `Authorization: Bearer mk_…`")
        key = await self._carrier.desk.key(text)
        if key is None or not key.holds(datetime.now(UTC)):
            raise _unknown("API key was not one that holds", "make one with `mercato compute keys make`")
        return key

    def _view(self, path: str) -> View:
        for start, view in self._views.items():
            if path == start or (start.endswith("/") and path.startswith(start)):
                return view
        raise NotFound(f"path was {path[:100]!r}", hint="/v1/openapi.json says what there is")

    async def _refuse(self, client: Client, error: MercatoError, job: Job | None) -> None:
        """Tells a client why: by an event where its stream has begun without a word; any other answer that has begun
        can only be broken off."""
        if client.started and job and job.asked.need.stream and job.stage is Stage.REFUSED:
            with client.waiting():
                await client.write(answers.cost(0) + answers.event(error), more=False)
            return
        if client.started:
            client.drop()
            return
        more = [(b"x-request-id", job.request.encode()), (b"x-cost-micro", b"0")] if job else []
        if job is None:  # its body may still be on the way, and whoever sends it listens only after that
            unread = await client.drain(DRAINED_OCTETS, self._limits.reading)
            more += [(b"connection", b"close")] if unread else []
        self._carrier.metrics.refused(answers.status(error))
        with client.waiting():
            await answers.refuse(client, error, more)


def _read(surface: Surface, raw: bytes, bounds: Bounds) -> Asked:
    return responses.ask(raw, bounds) if surface is Surface.RESPONSES else asking.read(surface, raw, bounds)


def _once(headers: Headers, asked: Asked) -> str:
    """Returns what makes a repeated request the same one, "" for nothing. Who passes an `x-request-id` on from request
    to request asks other things under it, so it stands for the same body only."""
    if (name := shown(headers, b"idempotency-key")) or not (trace := shown(headers, b"x-request-id")):
        return name
    return hashlib.sha256(f"{trace}\n{asked.digest}".encode()).hexdigest()


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in pairs:
        if name in found and name in ONCE:
            raise Declined(
                f"header {name.decode('latin-1')} was there twice", hint="send it once", code="invalid_header"
            )
        found[name] = value
    return found


def _typed(headers: Headers) -> None:
    kind = headers.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Declined(
            f"content-type was {kind[:60].decode('latin-1')!r}", hint="send application/json", status=415,
            code="unsupported_media_type",
        )  # fmt: skip
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Declined(
            "body was compressed", hint="send it as it is", status=415, code="unsupported_media_type"
        )  # fmt: skip


def _allowed(method: str, wanted: tuple[str, ...]) -> None:
    if method not in wanted:
        raise Declined(
            f"method was {method[:20]!r}", hint=f"use {wanted[0]}", status=405, code="method_not_allowed",
            allow=", ".join(wanted),
        )  # fmt: skip


def _unknown(message: str, hint: str) -> Declined:
    return Declined(message, hint=hint, status=401, code="invalid_api_key")


def _broken() -> MercatoError:
    return MercatoError("gateway failed", hint="try again; its log says why")
