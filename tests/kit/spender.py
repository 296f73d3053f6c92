"""Processes that spend as fast as they can until they are killed: python -m tests.kit.spender URL FOLDER MANY COUNT.

Each stands for an agent: it reserves, signs, notes what it signed where a kill cannot take it back, and settles.
They are forked from one that has imported everything, and opened nothing yet.
"""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from mercato.core.clock import SystemClock
from mercato.kit import Policy
from mercato.kit.acts import Signed
from mercato.kit.errors import Denied, Frozen
from mercato.kit.ledger import Ledger
from mercato.kit.testing import FRIEND, POOL, intent, payment
from mercato.kit.testing import SMALL_PAYMENTS as SMALL
from mercato.store import Store

LEASE = timedelta(seconds=1)
UNITS = 10**6
#: Caps that the spenders together would exceed several times over, each counted in its own way.
POLICY = Policy.parse(
    SMALL.replace('cap = "500"', 'cap = "3000"').replace(f'recipients = ["{FRIEND}"]', 'recipients = ["any"]')
    + '\n[[budgets]]\nname = "ever"\nasset = "USD"\ncap = "2500"\n'
    + '\n[[budgets]]\nname = "each"\nasset = "USD"\ncap = "1400"\nseconds = 3600\nper = "recipient"\n'
)


def spend(ledger: Ledger, spent: Path, chance: random.Random) -> bool:
    """Makes one payment; returns whether the books allowed it."""
    wanted = intent()
    effects = payment(chance.randint(1, 20) * UNITS, chance.choice([FRIEND, POOL]))
    decision = POLICY.judge(wanted, effects, ledger.clock.now())
    try:
        act = ledger.reserve(wanted, {}, effects, decision, floor=0, count=1)
    except Frozen:
        raise
    except Denied:
        return False
    if chance.randrange(10) == 0:
        ledger.release(act, "changed its mind")
        return True
    act = ledger.sign(act, [Signed(act.places[0], wanted.id, b"")])
    note(spent, f"{wanted.id} {effects.payments[0].to} {effects.payments[0].units}")
    ledger.settle(act, effects, decision.reserves, {"succeeded": True}, act.places)
    return True


def note(file: Path, line: object) -> None:
    """Adds a line by one write, which a kill cannot cut."""
    with file.open("ab", buffering=0) as out:
        out.write(f"{line}\n".encode())


def live(url: str, folder: Path, number: int, count: int) -> None:
    """Spends `count` times, or until the kill switch is on, once all the others are there too."""
    store = Store(url)
    ledger, chance = Ledger(store, SystemClock(), lease=LEASE), random.Random(number)
    note(folder / "started", os.getpid())
    while not (folder / "go").exists():
        time.sleep(0.01)
    with suppress(Frozen):
        for _ in range(count):
            spend(ledger, folder / "spent", chance)
    note(folder / "finished", f"{os.getpid()} {time.monotonic_ns()}")
    store.close()


def main() -> None:
    url, folder, many, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    children = []
    for number in range(many):
        child = os.fork()
        if child == 0:
            live(url, folder, number, count)
            return
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
