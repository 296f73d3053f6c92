"""What a client can check without us: the roots of closed epochs, and the proof that one of them counts its receipt."""

from __future__ import annotations

import asyncio
from typing import Any

from mercato.compute.books.desk import Desk
from mercato.compute.books.keys import Key
from mercato.compute.gateway import answers
from mercato.compute.gateway.asgi import View
from mercato.compute.gateway.client import Client
from mercato.compute.gateway.views import shown
from mercato.core.errors import NotFound
from mercato.store.bare import Bare

LATEST = 200


def proofs(url: str, desk: Desk) -> dict[str, View]:
    """Returns what can be read by paths, or their starts."""
    one_at_once = asyncio.Lock()  # a proof reads its whole epoch: clients together take one thread, and not all

    async def proof(client: Client, key: Key, path: str) -> None:
        name = path.removeprefix("/v1/proofs/")
        made = await desk.receipt(name)
        if made is None or made.key != key.id:
            raise NotFound(f"receipt was {name[:100]!r}, which this key has none of", hint="x-request-id names it")
        async with one_at_once:
            found = await asyncio.to_thread(_proof, url, name)
        if found is None:
            raise NotFound(f"epoch of {name!r} is still open", hint="ask again when it is closed, within an hour")
        await answers.say(client, 200, shown(made) | {"gateway_key": desk.clerk.signer.public, "proof": found})

    async def roots(client: Client, key: Key, path: str) -> None:
        found = await asyncio.to_thread(_epochs, url)
        await answers.say(client, 200, {"object": "list", "gateway_key": desk.clerk.signer.public, "data": found})

    return {"/v1/proofs/": proof, "/v1/epochs": roots}


def _proof(url: str, request: str) -> dict[str, Any] | None:
    from mercato.compute.books import epochs  # here, as no request to a model needs it

    with Bare(url) as bare, bare.read():
        made = epochs.proof(bare, request)
    return made.body() if made else None


def _epochs(url: str) -> list[dict[str, Any]]:
    from mercato.compute.books import epochs  # as above

    with Bare(url) as bare, bare.read():
        found = epochs.epochs(bare)[-LATEST:]
    return [
        {"object": "epoch", "number": one.number, "closed": one.closed.isoformat(), "root": one.root,
         "receipts": one.receipts}
        for one in found
    ]  # fmt: skip
