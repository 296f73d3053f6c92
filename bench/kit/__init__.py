"""The kit's benchmark: one payment's whole path on embedded chains and SQLite, its parts apart, and the kill switch."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.kit import solana, switch
from bench.kit.watch import Watch
from mercato.chains import deploy
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS, local
from mercato.contracts import load
from mercato.core.clock import SystemClock
from mercato.kit import Policy
from mercato.kit.evm.actions import catalogue
from mercato.kit.evm.rail import Rail
from mercato.kit.ledger import Ledger
from mercato.kit.replay import replay
from mercato.kit.service import Kit
from mercato.store.testing import sqlite_store

RULES = 1_000
ME, FRIEND, STRANGER = ACCOUNTS[:3]
PATH_MS, RULES_MS, IMPORT_MS = 2.0, 1.0, 300.0


def suite(*, quick: bool) -> bool:
    """Prints the table; returns whether the journal came out as it was written and each payment arrived once."""
    count = 50 if quick else 1_000
    with tempfile.TemporaryDirectory() as folder:
        kit, dollar = ground(Path(folder))
        want = {"token": dollar.address, "to": FRIEND, "amount": "1"}
        for _ in range(20):
            kit.act(kit.intent("transfer", dict(want)))
        watch = Watch().over_path(kit)
        for _ in range(count):
            kit.act(kit.intent("transfer", dict(want)))
        few, many = judging(kit, want, count)
        sound = replay(kit.ledger.store, "agent").states
        kit.ledger.store.close()
    _print(watch, count, few, many, imported())
    return len(sound) == count + 20 == int(dollar.read("balanceOf", FRIEND)) and solana.suite(count) and switch.suite()


def ground(folder: Path) -> tuple[Kit, Any]:
    """Returns a kit with a budget on an embedded chain, and its dollar."""
    chain, artifact, clock = local(), load("test_dollar"), SystemClock()
    dollar = deploy(chain, artifact.abi, artifact.bytecode, sender=STRANGER)
    dollar.send("faucet", ME, 10**12, sender=STRANGER)
    ledger = Ledger(sqlite_store(folder), clock)
    ledger.open("agent", policy(dollar.address), "operator")
    return Kit(ledger, Rail(chain, clock), catalogue(), book="agent", wallet=Key(KEYS[0])), dollar


def policy(dollar: str, more: int = 0) -> Policy:
    """Returns a policy that lets a friend be paid, behind that many rules that do not fit."""
    assets = {"USD": {"id": f"eip155:31337/erc20:{dollar}", "decimals": 6}}
    permit = {"name": "friend", "verdict": "allow", "recipients": [FRIEND], "contracts": [dollar],
              "spend": {"USD": "any"}}  # fmt: skip
    others = [{**permit, "name": f"other {number}", "recipients": [STRANGER]} for number in range(more)]
    # A second is a window that stays as full as it is, however long this runs.
    budget = {"name": "second", "asset": "USD", "cap": "1000", "seconds": 1}
    return Policy.of({"version": 1, "assets": assets, "rules": [*others, permit], "budgets": [budget]})


def judging(kit: Kit, want: dict[str, Any], count: int) -> tuple[float, float]:
    """Returns the medians, in milliseconds, of judging one payment by one rule and behind a thousand others."""
    intent = kit.intent("transfer", want)
    effects, at = kit.propose(intent).ready.effects, intent.at
    medians = []
    for made in (policy(want["token"]), policy(want["token"], RULES)):
        taken = []
        for _ in range(count):
            start = time.perf_counter()
            made.judge(intent, effects, at)
            taken.append((time.perf_counter() - start) * 1e3)
        medians.append(statistics.median(taken))
    return medians[0], medians[1]


def imported() -> float:
    """Returns the milliseconds that a fresh process takes to import the kit's door, the least of five."""
    code = "import time; start = time.perf_counter(); import mercato.kit; print((time.perf_counter() - start) * 1e3)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


def _print(watch: Watch, count: int, few: float, many: float, door: float) -> None:
    head = f"kit: {count} payments, intent to settled journal entry, embedded chain and SQLite, without a network"
    watch.tell(head, PATH_MS)
    print(f"{'policy, one rule':<24}{few:>12.3f}")
    print(f"{f'{RULES} rules more':<24}{many - few:>12.3f}{'':>12}{RULES_MS:>12.1f}")
    print(f"{'import mercato.kit':<24}{door:>12.1f}{'':>12}{IMPORT_MS:>12.1f}")
