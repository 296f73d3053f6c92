"""The upstream of every run: a provider that answers at once, as a bare asyncio protocol, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys

EVENTS = 100
_WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "then", "rests"]
_HEAD = {"id": "chatcmpl-1", "created": 1, "model": "toy"}
_USAGE = {"prompt_tokens": 12, "completion_tokens": 24, "total_tokens": 36}
_MESSAGE = {"role": "assistant", "content": " ".join(_WORDS * 2)}
WHOLE = json.dumps(
    {**_HEAD, "object": "chat.completion", "usage": _USAGE,
     "choices": [{"index": 0, "message": _MESSAGE, "finish_reason": "stop"}]}
).encode()  # fmt: skip


def event(delta: dict[str, str], end: str | None = None) -> bytes:
    """Returns one event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": end}
    return b"data: " + json.dumps({**_HEAD, "object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


STREAM = [event({"content": f"{_WORDS[number % len(_WORDS)]} "}) for number in range(EVENTS - 1)]
STREAM += [event({}, "stop"), b"data: [DONE]\n\n"]
_PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(WHOLE) + WHOLE
_MODELS = json.dumps({"object": "list", "data": [{"id": "toy", "object": "model"}]}).encode()
_LIST = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_MODELS) + _MODELS
_OPEN = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Upstream(asyncio.Protocol):
    """Answers each request of a connection once all of it is there; a stream where its body asks for one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins with nothing read."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.read = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answers what is complete."""
        self.read += data
        while (cut := self.read.find(b"\r\n\r\n")) >= 0:
            head = self.read[:cut].lower()
            at = head.find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.read) < cut + 4 + size:
                return
            body, self.read = self.read[cut + 4 : cut + 4 + size], self.read[cut + 4 + size :]
            self.answer(body)

    def answer(self, body: bytes) -> None:
        """Writes one answer."""
        if not body:
            self.transport.write(_LIST)
        elif b'"stream":true' in body.replace(b" ", b""):
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in STREAM)
            self.transport.write(_OPEN + chunks + b"0\r\n\r\n")
        else:
            self.transport.write(_PLAIN)


async def main(port: int) -> None:
    """Serves until the process ends."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
