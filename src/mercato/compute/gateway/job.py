"""One request on its way through the gateway, and what was done for it so far."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from mercato.compute.books.keys import Key
from mercato.compute.books.words import KEPT, Hold
from mercato.compute.gateway.asking import Asked
from mercato.compute.gateway.client import Client
from mercato.compute.gateway.states import Stage, step
from mercato.compute.model import REQUESTS, Attempt, RequestId


@dataclass(slots=True)
class Job:
    """One request on its way, and what was done for it so far."""

    client: Client
    asked: Asked
    key: Key
    idempotency: str = ""
    request: RequestId = field(default_factory=REQUESTS.new)
    stage: Stage = Stage.VALIDATE
    attempts: list[Attempt] = field(default_factory=list)
    words: int | None = None  # tokens of the request's own text, once they are counted
    began: int = 0  # when its newest attempt began, in milliseconds of the loop's clock; 0 once that is over
    sent: hashlib._Hash = field(default_factory=hashlib.sha256)
    kept: bytearray = field(default_factory=bytearray)

    def to(self, stage: Stage) -> None:
        """Moves on; Conflict for a step that the table of stages does not have."""
        self.stage = step(self.stage, stage)

    def hold(self, limit: int) -> Hold:
        """Returns what is asked of the books: to reserve so many micro-dollars for it."""
        return Hold(self.request, self.key.id, self.key.account, self.asked.digest, limit, self.idempotency)

    async def write(self, data: bytes, *, more: bool = True) -> None:
        """Passes bytes on to the client, and remembers them for the receipt and for who asks again."""
        await self.client.write(data, more=more)
        self.note(data)  # only now: what is cut while it waits was not delivered

    def note(self, data: bytes) -> None:
        """Takes bytes of the answer into the receipt's hash."""
        self.sent.update(data)
        if self.idempotency and len(self.kept) <= KEPT:
            self.kept += data
