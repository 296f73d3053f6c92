"""Workers that reserve and settle as fast as they can until they are killed:
python -m tests.compute.books.spender URL FOLDER KEY PROCESSES COUNT

Each stands for a worker of the gateway, with several requests at once; it notes what it delivered where a kill cannot
take it back. They are forked from one that has imported everything, and opened nothing yet.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import timedelta
from pathlib import Path

from mercato.compute.books import Clerk, Desk, Hold, Served
from mercato.compute.books.words import Lost
from mercato.compute.errors import Short
from mercato.compute.model import REQUESTS, End, KeyId, Price, ProviderId, Usage
from mercato.core.clock import SystemClock
from tests.compute.books.counter import SIGNER

LEASE = timedelta(milliseconds=900)
AT_ONCE, LARGEST = 8, 40
PRICE = Price(1_000_000, 1_000_000)
ENDS = (End.DONE, End.DONE, End.CLIENT_GONE, End.TRUNCATED)


def note(file: Path, line: object) -> None:
    """Adds a line by one write, which a kill cannot cut."""
    with file.open("ab", buffering=0) as out:
        out.write(f"{line}\n".encode())


async def request(desk: Desk, key: KeyId, folder: Path, chance: random.Random) -> None:
    """Makes one request, which ends in any way that requests end."""
    hold = Hold(REQUESTS.new(), key, "ann", "n", chance.randint(1, LARGEST))
    try:
        await desk.reserve(hold)
        await asyncio.sleep(chance.random() / 200)
        way = chance.randrange(10)
        if way == 0:
            await desk.release(hold.request, "no provider")
        elif way > 1:  # and one in ten is left open by a worker that goes on
            receipt = await desk.settle(hold.request, served=answer(key, chance))
            note(folder / "delivered", f"{hold.request} {hold.limit} {receipt.charged} {receipt.earned}")
    except Short:
        note(folder / "refused", hold.request)
    except Lost:  # leases are so short that on a busy machine those of the living run out, too
        note(folder / "lost", hold.request)


def answer(key: KeyId, chance: random.Random) -> Served:
    """Returns what was served: some honest, some claimed too high, some cut."""
    claimed, counted = (Usage(chance.randint(0, 30), chance.randint(0, 30)) for _ in range(2))
    provider = ProviderId(f"prov_{chance.randrange(3)}")
    return Served(key, provider, "toy", chance.choice(ENDS), "a" * 64, "b" * 64, claimed, counted, PRICE)


async def work(url: str, folder: Path, key: KeyId, number: int, count: int) -> None:
    chance = random.Random(number)
    async with Desk(Clerk(url, SystemClock(), SIGNER, lease=LEASE)) as desk:
        note(folder / "started", os.getpid())
        while not (folder / "go").exists():
            await asyncio.sleep(0.01)
        for _ in range(count // AT_ONCE):
            await asyncio.gather(*(request(desk, key, folder, chance) for _ in range(AT_ONCE)))
    note(folder / "finished", os.getpid())


def main() -> None:
    url, folder, key, many, count = sys.argv[1], Path(sys.argv[2]), KeyId(sys.argv[3]), *map(int, sys.argv[4:])
    children = []
    for number in range(many):
        child = os.fork()
        if child == 0:
            asyncio.run(work(url, folder, key, number, count))
            return
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
