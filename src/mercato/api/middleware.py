"""What every request passes: an id, a log line, metrics, a time limit, a body limit and the security headers.

Plain ASGI, one class per concern; `factory` puts them in order.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Mapping, Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mercato.api import problems
from mercato.api.metrics import Metrics
from mercato.api.origin import welcome

log = structlog.get_logger("mercato.http")
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

#: No script, style, frame or connection but our own; no inline script and no inline style.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class RequestContext:
    """Gives each request an id (the caller's, where it is well formed), times it, counts it and logs one line."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        started = time.perf_counter()
        try:
            await self.app(scope, receive, note)
        finally:
            seconds = time.perf_counter() - started
            route = _route(scope)
            self.metrics.request(scope["method"], route, status, seconds)
            log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1e3, 1))
            structlog.contextvars.unbind_contextvars("request_id")


class SecurityHeaders:
    """Adds the security headers to every answer that does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store" if scope["path"].startswith("/api/") else "no-cache")
            await send(message)

        await self.app(scope, receive, add if scope["type"] == "http" else send)


class LastResort:
    """Answers 500 for an exception that nobody else knew, and writes all of it to the log and none of it elsewhere."""

    def __init__(self, app: ASGIApp, page: problems.PageRenderer | None = None) -> None:
        self.app = app
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, note if scope["type"] == "http" else send)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            log.exception("unexpected error", path=scope["path"])
            hint = "the log says more, under this request id"
            body = problems.problem(500, "internal", "something unexpected went wrong", hint=hint)
            await problems.answer(Request(scope), body, self.page, {})(scope, receive, send)


class SameOrigin:
    """Refuses to change anything for the page of another site, whatever cookies the browser sends along."""

    def __init__(self, app: ASGIApp, origins: Sequence[str] = ()) -> None:
        self.app = app
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        safe = scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS")
        if safe or welcome(Headers(scope=scope), self.origins):
            await self.app(scope, receive, send)
            return
        body = problems.problem(403, "other-origin", "the request came from the page of another site")
        await JSONResponse(body, 403, media_type=problems.MEDIA_TYPE)(scope, receive, send)


class TimeLimit:
    """Answers 503 where no answer had begun after so many seconds."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(self.seconds):
                await self.app(scope, receive, note)
        except TimeoutError:
            if started:
                raise
            body = problems.problem(
                503, "timeout", f"no answer after {self.seconds:g} s", hint="ask for a shorter range, or try again"
            )
            answer = JSONResponse(body, 503, {"retry-after": "5"}, media_type=problems.MEDIA_TYPE)
            await answer(scope, receive, send)


class BodyLimit:
    """Refuses request bodies above so many bytes: by their declared length at once, otherwise while they arrive."""

    def __init__(self, app: ASGIApp, octets: int) -> None:
        self.app = app
        self.octets = octets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self.octets:
            await self._refuse(scope, receive, send)
            return
        total, started = 0, False

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self.octets:
                raise _TooLarge
            return message

        async def note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, note)
        except _TooLarge:
            if started:
                raise
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = problems.problem(413, "too-large", f"the body was above {self.octets} bytes", hint="send it in parts")
        await JSONResponse(body, 413, media_type=problems.MEDIA_TYPE)(scope, receive, send)


class _TooLarge(Exception):
    """The body went over the limit while it was read."""


def _route(scope: Scope) -> str:
    """Returns the template of the route that answered, so that metrics stay few; `other` where none did."""
    route = scope.get("route")
    return str(getattr(route, "path", "other"))
