"""A process that asks for work and does it until it is killed: python -m …victim URL FOLDER WAY."""

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from mercato.core.clock import SystemClock
from mercato.store import Run, Store, Worker, emit, enqueue
from tests.conformance.store.samples import LampLit

LEASE = timedelta(seconds=1)


def note(file: Path, line: str) -> None:
    """Adds a line by one write, which a kill cannot cut, and which survives the process."""
    with file.open("ab", buffering=0) as out:
        out.write(f"{line}\n".encode())


def ask(store: Store, count: int) -> None:
    """Writes pairs of an event and a job, each pair in one transaction."""
    for _ in range(count):
        name = uuid4().hex
        with store.transaction() as tx:
            emit(tx, LampLit(time=datetime.now(UTC), lamp=name))
            enqueue(tx, "light", {"lamp": name}, key=name, now=datetime.now(UTC), max_tries=1000)


def light(folder: Path, run: Run) -> None:
    """Sends once, as far as a crash allows, and books exactly once."""
    name = run.job.key
    run.once("send", lambda: note(folder / "sent", name))
    note(folder / "remembered", name)
    run.atomically("book", lambda tx: emit(tx, LampLit(time=datetime.now(UTC), lamp=f"booked {name}")))


def hang(folder: Path, run: Run) -> None:
    """Sends, and then waits to be killed."""
    run.once("send", lambda: note(folder / "sent", run.job.key))
    note(folder / "remembered", run.job.key)
    time.sleep(60)


def main() -> None:
    url, folder, way = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    store = Store(url)
    handler = {"light": light, "hang": hang}[way]
    worker = Worker(
        store,
        {"light": lambda run: handler(folder, run)},
        clock=SystemClock(),
        lease=LEASE,
        poll=timedelta(seconds=0.05),
    )
    worker.start()
    note(folder / "started", str(os.getpid()))
    while way == "light":
        ask(store, 1)
        time.sleep(0.005)
    time.sleep(60)


if __name__ == "__main__":
    main()
