"""The server behind a node: anything with OpenAI's API, such as vLLM or llama.cpp, on this machine or beside it.

Its answers pass through as they come: they are not decompressed, redirects are not followed, and nothing of the
environment (proxies, .netrc) takes part.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import ClientConnectionError, ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector
from aiohttp.client_exceptions import ClientConnectorError, ClientPayloadError, ClientSSLError, ServerTimeoutError

from mercato.compute.errors import Unreached
from mercato.compute.model import Usage
from mercato.compute.node.wording import parsed
from mercato.core.errors import ConfigError, InvalidInput
from mercato.core.events import Json
from mercato.core.settings import Secret

CONNECT, READ = 5.0, 300.0  # seconds: to be reached, and between two pieces of an answer
MOST = 4 * 1024 * 1024  # octets of an answer that is read as a whole
TAIL = 8 * 1024  # octets at an answer's end where it says what it took
_USAGE = re.compile(rb'"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')


class Upstream:
    """A server at an address up to and with `/v1`. Close it after use."""

    def __init__(self, url: str, key: Secret) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise ConfigError(f"upstream was {url!r}", hint="an address such as http://127.0.0.1:8000/v1")
        self.url = url.rstrip("/")
        self._key = key
        self._session: ClientSession | None = None

    @asynccontextmanager
    async def sent(self, path: str, body: bytes, headers: Mapping[str, str]) -> AsyncIterator[ClientResponse]:
        """Gives the answer to a POST, or to a GET where the body is empty, its body not read; Unreached for none."""
        if self._session is None:
            timeout = ClientTimeout(total=None, sock_connect=CONNECT, sock_read=READ)
            self._session = ClientSession(
                connector=TCPConnector(limit=0), timeout=timeout, auto_decompress=False, trust_env=False
            )
        wanted = {**headers, "accept-encoding": "identity"}
        if self._key:
            wanted["authorization"] = f"Bearer {self._key.reveal()}"
        method = "POST" if body else "GET"
        try:
            async with self._session.request(
                method, self.url + path, data=body or None, headers=wanted, allow_redirects=False
            ) as response:
                yield response
        except (ClientError, TimeoutError, OSError) as error:
            # Not `from error`: its text may hold what the server sent.
            raise Unreached(word(error)) from None

    async def read(self, path: str, body: bytes = b"", *, seconds: float = 60.0) -> tuple[int, dict[str, Json]]:
        """Returns status and JSON of an answer; Unreached where none came, InvalidInput where it is no JSON."""
        try:
            async with asyncio.timeout(seconds), self.sent(path, body, {"content-type": "application/json"}) as found:
                answer = bytearray()
                async for piece in found.content.iter_any():
                    answer += piece
                    if len(answer) > MOST:
                        raise InvalidInput("upstream's answer was too long", hint=f"at most {MOST} octets")
        except TimeoutError:
            raise Unreached("total") from None
        return found.status, parsed(bytes(answer), most=MOST, what="upstream's answer")

    async def beside(self, path: str, *, seconds: float = 10.0) -> dict[str, Json]:
        """Returns what the server tells at a path beside `/v1`, where some tell more of themselves; nothing where it
        does not."""
        try:
            status, body = await self.read(f"/..{path}", seconds=seconds)
        except (Unreached, InvalidInput):
            return {}
        return body if status == 200 else {}

    async def close(self) -> None:
        """Closes the connections that are kept."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def word(error: BaseException) -> str:
    """Returns the class of what went wrong between the node and its upstream."""
    if isinstance(error, ClientSSLError):
        return "tls"
    if isinstance(error, ClientConnectorError):
        return "connect"
    if isinstance(error, ServerTimeoutError | TimeoutError):
        return "idle"
    return "reset" if isinstance(error, ClientConnectionError | ClientPayloadError | OSError) else "protocol"


def claimed(tail: bytes) -> Usage:
    """Returns the usage at the end of an answer, a stream's or a whole one's; zeros where it says none."""
    for found in reversed(_USAGE.findall(tail)):
        try:
            said = parsed(found, most=TAIL, what="usage")
        except InvalidInput:
            continue
        details = said.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, dict) else 0
        return Usage(_count(said.get("prompt_tokens")), _count(said.get("completion_tokens")), _count(cached))
    return Usage()


def _count(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9 else 0
