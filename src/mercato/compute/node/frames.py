"""The frames of the tunnel: what one WebSocket message says of one stream. Pure.

A text message is control: one JSON object whose `type` says what it is. A binary message is a frame of a stream:

    0        1               5
    | kind   | stream        | payload, at most 64 KiB
    OPEN     gateway to node: JSON {"path", "headers", "wait": ms, "length": octets of the body}
    HEAD     node to gateway: JSON {"status", "headers"}
    DATA     a piece of the body or of the answer, within the credit that the other end gave
    END      that was all of it
    CANCEL   gateway to node: nobody waits for this any more
    ERROR    node to gateway: one word, the class of what went wrong; no answer follows
    CREDIT   so many more octets may be sent, four octets

Each end starts with WINDOW octets of credit in every stream, so one that is not read stops alone.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from mercato.compute.node.wording import inner, number, parsed, text
from mercato.core.errors import InvalidInput

PROTOCOL = "mercato-tunnel-1"
PIECE = 64 * 1024
WINDOW = 256 * 1024
MOST_HEAD = 16 * 1024
MOST_CONTROL = 128 * 1024
MOST_MESSAGE = 160 * 1024  # what a WebSocket library should refuse above: a frame or a control message with room
MOST_STREAM = 2**32 - 1
_START = struct.Struct(">BI")
_COUNT = struct.Struct(">I")


class Kind(IntEnum):
    """What a frame says."""

    OPEN = 1
    HEAD = 2
    DATA = 3
    END = 4
    CANCEL = 5
    ERROR = 6
    CREDIT = 7


@dataclass(frozen=True, slots=True)
class Ask:
    """What the gateway wants of the node's upstream. `wait` is in milliseconds, `length` in octets."""

    path: str
    headers: Mapping[str, str]
    wait: int
    length: int


@dataclass(frozen=True, slots=True)
class Head:
    """How the upstream's answer begins."""

    status: int
    headers: Mapping[str, str]


def frame(kind: Kind, stream: int, payload: bytes = b"") -> bytes:
    """Returns a frame as octets."""
    return _START.pack(kind, stream) + payload


def read(message: bytes) -> tuple[Kind, int, bytes]:
    """Returns kind, stream and payload of a frame; InvalidInput where it is none, or too large."""
    if not _START.size <= len(message) <= _START.size + PIECE:
        raise InvalidInput(f"frame had {len(message)} octets", hint=f"{_START.size} to {_START.size + PIECE}")
    kind, stream = _START.unpack_from(message)
    try:
        return Kind(kind), stream, message[_START.size :]
    except ValueError:
        raise InvalidInput(f"frame was of the kind {kind!r}", hint=f"one of {[int(known) for known in Kind]}") from None


def credit(stream: int, octets: int) -> bytes:
    """Returns the frame that lets the other end send so many octets more."""
    return frame(Kind.CREDIT, stream, _COUNT.pack(octets))


def granted(payload: bytes) -> int:
    """Returns the octets that a CREDIT frame grants; InvalidInput for none, or for more than a window."""
    value: int = _COUNT.unpack(payload)[0] if len(payload) == _COUNT.size else 0
    if not 0 < value <= WINDOW:
        raise InvalidInput(f"credit was {payload[:8].hex()!r}", hint=f"1 to {WINDOW} in four octets")
    return value


MOST_PATH = 800  # letters; a model's name and an answer's id are the longest of it


def ask(stream: int, wanted: Ask) -> bytes:
    """Returns the frame that opens a stream; InvalidInput where its headers are too long."""
    body = {"path": wanted.path, "headers": dict(wanted.headers), "wait": wanted.wait, "length": wanted.length}
    return frame(Kind.OPEN, stream, _packed(body))


def asked(payload: bytes) -> Ask:
    """Returns what an OPEN frame asks for; InvalidInput for anything else."""
    body = parsed(payload, most=MOST_HEAD, what="OPEN")
    return Ask(text(body, "path", most=MOST_PATH, least=1), _headers(body.get("headers")),
               number(body, "wait", 1, 86_400_000), number(body, "length", 0, 2**40))  # fmt: skip


def head(stream: int, found: Head) -> bytes:
    """Returns the frame that begins an answer; InvalidInput where its headers are too long."""
    return frame(Kind.HEAD, stream, _packed({"status": found.status, "headers": dict(found.headers)}))


def headed(payload: bytes) -> Head:
    """Returns how an answer begins; InvalidInput for anything that is no HTTP status and headers."""
    body = parsed(payload, most=MOST_HEAD, what="HEAD")
    return Head(number(body, "status", 200, 599), _headers(body.get("headers")))


def _packed(body: Mapping[str, object]) -> bytes:
    packed = json.dumps(body, separators=(",", ":")).encode()
    if len(packed) > MOST_HEAD:
        raise InvalidInput(f"headers had {len(packed)} octets", hint=f"at most {MOST_HEAD}")
    return packed


def _headers(value: object) -> dict[str, str]:
    found = inner(value if isinstance(value, dict) else None, "headers")
    for name, said in found.items():
        # Octets below a space would smuggle a second header into HTTP/1.1.
        if not isinstance(said, str) or not name.isascii() or not name.replace("-", "").isalnum() or not _plain(said):
            raise InvalidInput(f"header was {name[:40]!r}: {str(said)[:40]!r}", hint="one line of visible letters")
    return {name.lower(): str(said) for name, said in found.items()}


def _plain(said: str) -> bool:
    return all(letter == "\t" or (" " <= letter <= "\xff" and letter != "\x7f") for letter in said)
