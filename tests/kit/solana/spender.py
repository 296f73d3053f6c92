"""Processes that spend one account's SOL at once: python -m tests.kit.solana.spender URL NODE FOLDER MANY COUNT.

Each is a whole kit of its own: it tries, reserves, signs, sends to a node and settles, until it is done or killed.
"""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from mercato.chains.solana import rpc
from mercato.chains.solana.model import SOL, Cluster
from mercato.core.clock import SystemClock
from mercato.core.errors import MercatoError
from mercato.core.settings import Secret
from mercato.kit import Policy
from mercato.kit.ledger import Ledger
from mercato.kit.service import Kit
from mercato.kit.solana.actions import catalogue
from mercato.kit.solana.rail import Rail
from mercato.store import Store
from tests.kit.solana.ground import ANYTHING, FRIEND, NATIVE, STRANGER, WALLET
from tests.kit.spender import note

LEASE = timedelta(seconds=2)
CAP = 25
POLICY = Policy.of(
    {
        "version": 1,
        "assets": {
            "SOL": {"id": NATIVE, "decimals": 9},
            "USD": {"id": f"{NATIVE[:-11]}/token:{FRIEND}", "decimals": 6},
        },
        "rules": [ANYTHING],
        "budgets": [{"name": "ever", "asset": "SOL", "cap": str(CAP)}],
    }
)


def kit(store: Store, cluster: Cluster) -> Kit:
    """Returns a kit of the account that all of them share."""
    clock = SystemClock()
    return Kit(Ledger(store, clock, lease=LEASE), Rail(cluster, clock), catalogue(), book="agent", wallet=WALLET)


def live(url: str, node: str, folder: Path, number: int, count: int) -> None:
    """Spends `count` times, once all the others are there too."""
    store, cluster = Store(url), rpc.connect(Secret(node))
    mine, chance = kit(store, cluster), random.Random(number)
    note(folder / "started", os.getpid())
    while not (folder / "go").exists():
        time.sleep(0.01)
    for _ in range(count):
        pay = {"to": chance.choice([FRIEND, STRANGER]), "amount": str(chance.randint(SOL // 2, 3 * SOL))}
        with suppress(MercatoError):  # a budget, or a transaction that the others' made impossible
            mine.act(mine.intent("transfer-native", dict(pay)))
    note(folder / "finished", os.getpid())
    store.close()


def main() -> None:
    url, node, folder, many, count = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
    children = []
    for number in range(many):
        child = os.fork()
        if child == 0:
            live(url, node, folder, number, count)
            return
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
