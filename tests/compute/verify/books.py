"""Books with answers that wait for an audit, as the gateway would have settled them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from mercato.compute import roster
from mercato.compute.fleet import replies
from mercato.compute.fleet.toy import Toy
from mercato.compute.gateway.tally import Said
from mercato.compute.model import Need, Provider, Standing, Surface
from mercato.compute.verify import exhibit
from tests.compute.books.counter import ACME, Counter

PROVIDER = Provider(ACME, "acme", Standing.ACTIVE)


def shown(number: int, model: Toy, tokens: int = 40) -> bytes:
    """What is kept of one question and of what a machine answers."""
    text = f"question {number}"
    body = {"model": "toy", "messages": [{"role": "user", "content": text}], "temperature": 0}
    answer = " ".join(replies.words(model, text, tokens))
    return exhibit.packed(Need(Surface.CHAT, "toy", 10, tokens), json.dumps(body), [Said(answer)])


def serve(counter: Counter, model: Toy, count: int, first: int = 0, tokens: int = 40) -> None:
    """Settles answers of a machine, each put up for audit."""
    settled(counter, [shown(number, model, tokens) for number in range(first, first + count)])


def settled(counter: Counter, kept: Sequence[bytes]) -> None:
    """Settles answers of which this was kept, each put up for audit."""

    async def settle() -> None:
        async with counter.desk() as desk:
            for evidence in kept:
                hold = counter.hold()
                await desk.reserve(hold)
                await desk.settle(hold.request, served=counter.served(audit=True, evidence=evidence))

    asyncio.run(settle())


def listed(counter: Counter) -> None:
    """Makes the provider known."""
    with counter.till.bare.transaction():
        roster.save(counter.till.bare, PROVIDER, counter.clock.now())
