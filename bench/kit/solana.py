"""The whole path of one payment on the embedded Solana cluster and SQLite, and its parts apart."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.kit.watch import Watch
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import Address
from mercato.chains.solana.testing import issue, keys, local
from mercato.chains.solana.tokens import associated, create_associated, token_account, transfer_tokens
from mercato.core.clock import SystemClock
from mercato.kit import Policy
from mercato.kit.actions import Catalogue
from mercato.kit.ledger import Ledger
from mercato.kit.replay import replay
from mercato.kit.service import Kit
from mercato.kit.solana.plan import Ground, SolanaPlan, plan
from mercato.kit.solana.rail import Rail
from mercato.store.testing import sqlite_store

WALLET, FRIEND = keys()[0], keys()[1].address
PATH_MS = 5.0
WARM = 20


def suite(count: int) -> bool:
    """Prints the table; returns whether the journal came out as it was written and each payment arrived once."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = local()
        dollar = issue(cluster, WALLET, 10**12)
        kit = ground(Path(folder), cluster, dollar)
        for _ in range(WARM):
            kit.act(kit.intent("pay", {}))
        watch = Watch().over_path(kit)
        for _ in range(count):
            kit.act(kit.intent("pay", {}))
        sound = replay(kit.ledger.store, "agent").states
        kit.ledger.store.close()
    watch.tell(f"kit: {count} payments of a token on the embedded Solana cluster, otherwise as above", PATH_MS)
    arrived = token_account(cluster.accounts([associated(FRIEND, dollar)])[0])
    return arrived is not None and len(sound) == count + WARM == arrived.amount


def ground(folder: Path, cluster: LocalCluster, dollar: Address) -> Kit:
    """Returns a kit with a budget on an embedded cluster, whose action `pay` sends a friend one unit of a token."""
    clock, mine, yours = SystemClock(), associated(WALLET.address, dollar), associated(FRIEND, dollar)
    steps = [
        create_associated(WALLET.address, FRIEND, dollar),
        transfer_tokens(mine, yours, dollar, WALLET.address, 1, 6),
    ]
    actions = Catalogue()

    @actions.action("pay", "Sends a friend one unit.", effects="it leaves")
    def pay(ground: Ground) -> SolanaPlan:
        return plan("Pay", *steps)

    asset = f"{cluster.name}/token:{dollar}"
    rule = {"name": "friend", "verdict": "allow", "recipients": [FRIEND], "creations": 1,
            "spend": {"USD": "any", "SOL": "any"}}  # fmt: skip
    # A second is a window that stays as full as it is, however long this runs.
    budget = {"name": "second", "asset": "USD", "cap": "1000", "seconds": 1}
    known = {"USD": {"id": asset, "decimals": 6}, "SOL": {"id": f"{cluster.name}/slip44:501", "decimals": 9}}
    ledger = Ledger(sqlite_store(folder), clock)
    ledger.open("agent", Policy.of({"version": 1, "assets": known, "rules": [rule], "budgets": [budget]}), "operator")
    return Kit(ledger, Rail(cluster, clock), actions, book="agent", wallet=WALLET)
