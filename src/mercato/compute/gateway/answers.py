"""What the gateway says by itself: errors in OpenAI's shape, JSON, and headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mercato.compute.errors import Declined, Unreached
from mercato.compute.gateway.client import Client, Headers
from mercato.core.errors import MercatoError

KINDS = {
    401: "authentication_error", 402: "insufficient_quota", 403: "permission_error", 404: "not_found_error",
    409: "conflict_error", 429: "rate_limit_error",
}  # fmt: skip
AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
JSON_TYPE = (b"content-type", b"application/json")


def status(error: MercatoError) -> int:
    """Returns the HTTP status of an error."""
    return error.answer if isinstance(error, Declined) else type(error).status


def problem(error: MercatoError) -> dict[str, Any]:
    """Returns an error as OpenAI's clients read it; the hint follows the message."""
    code = status(error)
    kind = KINDS.get(code, "server_error" if code >= 500 else "invalid_request_error")
    message = f"{error.message}; {error.hint}" if error.hint else error.message
    word = error.word if isinstance(error, Declined) else type(error).code.replace("-", "_")
    param = error.param if isinstance(error, Declined) else ""
    return {"error": {"message": message, "type": kind, "param": param or None, "code": word}}


def event(error: MercatoError) -> bytes:
    """Returns the event that tells a client why its stream has nothing to say."""
    return b"data: " + json.dumps(problem(error)).encode() + b"\n\n"


def cut(error: Unreached, code: str) -> bytes:
    """Returns the event that tells a client that a stream broke off."""
    body = {"error": {"message": error.message, "type": "upstream_error", "param": None, "code": code}}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


async def say(client: Client, code: int, body: Mapping[str, Any] | list[Any], more: Headers = ()) -> None:
    """Sends JSON as the whole answer."""
    raw = json.dumps(body).encode()
    headers = [JSON_TYPE, (b"content-length", str(len(raw)).encode()), *more]
    await client.start(code, headers)
    await client.write(raw, more=False)


async def refuse(client: Client, error: MercatoError, more: Headers = ()) -> None:
    """Sends an error as the whole answer; tells clients of OpenAI's API whether to try again."""
    code = status(error)
    headers = [(b"x-should-retry", b"true" if code in AGAIN else b"false"), *more]
    after = error.facts.get("after")
    if isinstance(after, int):
        headers.append((b"retry-after", str(after).encode()))
    if isinstance(allow := error.facts.get("allow"), str):
        headers.append((b"allow", allow.encode()))
    if code == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await say(client, code, problem(error), headers)


def known(request: str, provider: str, verified: str, cost: int | None = None) -> list[tuple[bytes, bytes]]:
    """Returns the headers that tell about a request: its id, who answered, how that is verified and what it cost."""
    headers = [
        (b"x-request-id", request.encode()),
        (b"x-provider", provider.encode("ascii", "replace")),
        (b"x-verified", verified.encode()),
    ]
    return headers if cost is None else [*headers, (b"x-cost-micro", str(cost).encode())]


def cost(micro: int) -> bytes:
    """Returns the comment that tells, just before a stream's end, what it cost: its headers came too early for that."""
    return b": x-cost-micro=%d\n\n" % micro
