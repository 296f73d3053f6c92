"""The client of every run: requests over kept connections, each timed; every answer is looked at."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field

_BODY = {"model": "toy", "messages": [{"role": "user", "content": "Say something about foxes and dogs, please."}],
         "max_tokens": 200}  # fmt: skip


@dataclass
class Taken:
    """Milliseconds of each answer, and until its first byte; how many were wrong; seconds of the whole run."""

    whole: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    wrong: int = 0
    seconds: float = 0.0

    @property
    def count(self) -> int:
        """Returns how many answers came."""
        return len(self.whole)

    def p(self, percent: int, *, first: bool = False) -> float:
        """Returns a percentile in milliseconds."""
        found = self.first if first else self.whole
        return statistics.quantiles(found, n=100, method="inclusive")[percent - 1]


def request(port: int, key: str, *, stream: bool) -> bytes:
    """Returns a chat request as bytes."""
    body = json.dumps({**_BODY, **({"stream": True} if stream else {})}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, key: str, count: int, at_once: int, *, stream: bool = False) -> Taken:
    """Sends so many requests over so many connections, each after the answer to the one before."""
    asked, taken = request(port, key, stream=stream), Taken()
    shares = [count // at_once + (number < count % at_once) for number in range(at_once)]
    start = time.perf_counter()
    await asyncio.gather(*(_one(port, asked, share, taken, stream=stream) for share in shares))
    taken.seconds = time.perf_counter() - start
    return taken


async def _one(port: int, asked: bytes, count: int, taken: Taken, *, stream: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        for _ in range(count):
            start = time.perf_counter()
            writer.write(asked)
            head = await reader.readuntil(b"\r\n\r\n")
            taken.first.append((time.perf_counter() - start) * 1e3)
            body = await _body(reader, head.lower())
            taken.whole.append((time.perf_counter() - start) * 1e3)
            good = body.count(b"data: {") >= 100 and b"data: [DONE]" in body if stream else b'"choices"' in body
            taken.wrong += not (head.split(b" ", 2)[1] == b"200" and good)
    finally:
        writer.close()


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    at = head.find(b"content-length:")
    if at >= 0:
        return await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
    found = []
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        found.append((await reader.readexactly(size + 2))[:-2])
    await reader.readuntil(b"\r\n")
    return b"".join(found)
