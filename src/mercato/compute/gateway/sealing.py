"""What an enclave signs of an answer, noted while it passes: the hashes of what was sent to it and of what it sent.

Whoever audits the answer asks for the signature later, and compares. Only answers of machines that proved something are
noted so.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256

from mercato.compute.gateway.line import Reply

_ID = re.compile(rb'"id"\s*:\s*"([A-Za-z0-9._:-]{1,200})"')
_HEAD, _TAIL = 8 * 1024, 64  # octets at the beginning, where the id is, and at the end, where [DONE] is
MARK = b"s"
LENGTH = 2  # octets that tell how long a seal is


@dataclass(frozen=True, slots=True)
class Seal:
    """An answer's id at its provider, and the SHA-256, as hexadecimal, of what was asked and of what was answered."""

    id: str
    asked: str
    answered: str

    def before(self, evidence: bytes) -> bytes:
        """Returns it in front of what else is kept of an answer."""
        body = json.dumps([self.id, self.asked, self.answered]).encode()
        return MARK + len(body).to_bytes(LENGTH) + body + evidence


def parted(raw: bytes) -> tuple[Seal | None, bytes]:
    """Returns the seal in front of what was kept, None for none, and the rest."""
    if raw[:1] != MARK:
        return None, raw
    start = len(MARK) + LENGTH
    end = start + int.from_bytes(raw[len(MARK) : start])
    return Seal(*json.loads(raw[start:end])), raw[end:]


class Sealed:
    """A reply that notes what passes; `sent` is the body that it answers."""

    def __init__(self, reply: Reply, sent: bytes) -> None:
        self._reply, self._sent, self._hash = reply, sent, sha256()
        self._head, self._tail, self._whole = b"", b"", False
        self.status, self.headers = reply.status, reply.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body as it comes."""
        async for chunk in self._reply.chunks():
            self._hash.update(chunk)
            if len(self._head) < _HEAD:
                self._head += chunk[:_HEAD]
            self._tail = (self._tail + chunk[-_TAIL:])[-_TAIL:]
            yield chunk
        self._whole = True

    async def close(self) -> None:
        """Lets the connection go."""
        await self._reply.close()

    def seal(self) -> Seal | None:
        """Returns the seal of an answer that is here to its end, without an id where it tells none; None where some of
        it is not here."""
        if not (self._whole or self._tail.rstrip().endswith(b"[DONE]")):
            return None
        found = _ID.search(self._head)
        return Seal(found[1].decode() if found else "", sha256(self._sent).hexdigest(), self._hash.hexdigest())
