"""The kill switch while ten processes spend as fast as they can, on SQLite: how long until nobody signs any more."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.kit.spender import POLICY

from mercato.core.clock import SystemClock
from mercato.kit.acts import Arrow
from mercato.kit.ledger import Ledger
from mercato.store.testing import sqlite_store

ROOT = Path(__file__).parents[2]
PROCESSES, UNDER_WAY, WANTED_MS = 10, 100, 1_000.0


def suite() -> bool:
    """Prints the moments; returns whether nothing was signed after the switch was on."""
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), SystemClock()
        store = sqlite_store(folder)
        ledger = Ledger(store, clock)
        ledger.open("agent", POLICY, "operator")
        url = store.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.kit.spender", url, name, str(PROCESSES), "100000"]
        with subprocess.Popen(command, cwd=ROOT) as parent:
            _until(folder / "started", PROCESSES)
            (folder / "go").touch()
            _until(folder / "spent", UNDER_WAY)
            pressed, start = clock.now(), time.perf_counter()
            ledger.freeze("agent", "operator")
            taken = (time.perf_counter() - start) * 1e3
            parent.wait()
        told = ledger.journal("agent", limit=100_000)
        store.close()
    frozen = next(entry.seq for entry in told if entry.arrow is Arrow.FROZEN)
    signed = [entry for entry in told if entry.arrow is Arrow.SIGNED]
    last = max((signed[-1].at - pressed).total_seconds() * 1e3, 0.0)
    print(f"\nkit: the kill switch while {PROCESSES} processes spend, SQLite\n{'':<24}{'ms':>12}{'wanted at most':>24}")
    print(f"{'until it is on':<24}{taken:>12.1f}{WANTED_MS:>24.1f}")
    print(f"{'until the last signature':<24}{last:>12.1f}{WANTED_MS:>24.1f}")
    return signed[-1].seq < frozen


def _until(file: Path, lines: int) -> None:
    while not file.exists() or len(file.read_text().splitlines()) < lines:
        time.sleep(0.005)
