"""An installation whose books hold the example's week, a provider with markup in its name, and two operators."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from fastapi import FastAPI

from mercato.app import SECTIONS, Room, create_app
from mercato.chains.signing import Key
from mercato.chains.testing import KEYS, local
from mercato.compute import roster
from mercato.compute.books import Signer
from mercato.compute.books.till import Till
from mercato.compute.example import fill
from mercato.compute.model import PROVIDERS, Offer, Price, Provider, Standing
from mercato.compute.office.service import Office
from mercato.compute.service import Compute
from mercato.core.clock import Clock, SystemClock
from mercato.core.settings import load
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from mercato.store import Store, metadata

KEEPER, NOBODY = Key(KEYS[4]), Key(KEYS[6])
SEED = b"gateway's seed for tests: 32 oct"
SIGNER = Signer(SEED)
ODD = "<script>alert(1)</script> =1+1"
HTML = {"accept": "text/html"}


@dataclass(frozen=True)
class House:
    """Books on a store of their own; `odd` is the provider whose name is markup."""

    store: Store
    home: Path
    url: str
    odd: str = ""

    def office(self, *, operators: dict[str, str] | None = None, clock: Clock | None = None) -> Office:
        """Returns what pages show, by default to one operator, now."""
        named = {"keeper": KEEPER.address} if operators is None else operators
        chain = local().name.reference
        return Office(Compute(self.url, clock or SystemClock(), SIGNER, operators=named, sign_in_chain=chain))

    def till(self) -> Till:
        """Returns the books, to be closed."""
        return Till(self.url, SystemClock(), SIGNER)

    def app(self, office: Office | None = None) -> FastAPI:
        """Returns the application with the launch room, by whose chain people sign in."""
        launches = Launches(self.store, local(), SystemClock(), LaunchSettings())
        parts = [Room("launch", launches), Room("compute", office or self.office())]
        return create_app(load(*SECTIONS, home=self.home), self.store, parts, worker=False)


@contextmanager
def house(home: Path, *, filled: Path | None = None, url: str = "") -> Iterator[House]:
    """Gives an installation; its books are a copy of `filled`, or empty. `url` names an empty database to take."""
    from mercato.store.testing import sqlite_store

    if filled and not url:
        shutil.copy(filled, home / "mercato.db")
    store = Store(url or f"sqlite:///{home / 'mercato.db'}") if filled else sqlite_store(home)
    if filled and url:
        poured(f"sqlite:///{filled}", store)
    try:
        with Till(store.url.render_as_string(hide_password=False), SystemClock(), SIGNER).bare as bare:
            odd = next((it.id for it in roster.everyone(bare) if it.name == ODD), "")
        yield House(store, home, store.url.render_as_string(hide_password=False), odd)
    finally:
        store.close()


def poured(source: str, into: Store) -> None:
    """Copies every row of the room into an empty database, of whichever kind."""
    from mercato.store.testing import load_tables

    load_tables()
    books = Store(source)
    with books.read() as there, into.transaction() as here:
        for table in filter(lambda it: it.name.startswith("compute_"), metadata.sorted_tables):
            rows = [dict(row) for row in there.execute(table.select()).mappings()]
            for part in range(0, len(rows), 500):
                here.execute(table.insert(), rows[part : part + 500])
    books.close()


def week(home: Path) -> Path:
    """Returns a database with the example's week and the odd provider."""
    with house(home) as made:
        now = SystemClock().now()
        fill(made.url, SIGNER, now)
        odd = Provider(PROVIDERS.new(), ODD, Standing.PENDING, url="https://odd.example/v1", key="ab" * 32)
        till = made.till()
        with till.bare.transaction():
            roster.save(till.bare, odd, now, "<b>came</b>")
            offer = Offer(odd.id, "<i>m</i>", Price(1, 1), 8_192, until=now + timedelta(days=1))
            roster.offer(till.bare, odd.id, [offer])
        till.close()
        path = Path(str(made.store.url.database))
    return path
