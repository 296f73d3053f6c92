"""A gateway for tests: a real worker on loopback in a thread of its own, on SQLite, with money and keys."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from openai import OpenAI

from mercato.compute.books import keys
from mercato.compute.books.keys import Limits, Scope
from mercato.compute.books.till import Till
from mercato.compute.gateway.server import Server
from mercato.compute.installation import prepared
from mercato.compute.opening import work
from mercato.compute.orders import Orders
from mercato.compute.settings import ComputeSettings, Enclave, Listed, Upstream
from mercato.compute.signing import signer
from mercato.compute.starting import listen
from mercato.core.clock import SystemClock
from mercato.core.settings import Secret, Settings
from mercato.store import StoreSettings
from mercato.store.bare import Bare
from mercato.store.testing import sqlite_store

PRICE = Listed(prompt=200_000, completion=400_000, features=frozenset({"tools", "json_schema", "embeddings", "vision"}))
QUESTION: Any = [{"role": "user", "content": "What does the agent earn?"}]


class House:
    """A running gateway. `upstreams` are addresses by name; `ann` is a key whose account holds a dollar."""

    def __init__(
        self, home: Path, upstreams: Mapping[str, str], *, listed: Listed = PRICE, private: bool = True,
        buffer: int = 0, url: str = "", prices: Mapping[str, Listed] | None = None,
        enclaves: Mapping[str, Enclave | None] | None = None, **wanted: Any,
    ) -> None:  # fmt: skip
        self._buffer = buffer
        self.home, self.url = home, url or f"sqlite:///{home / 'mercato.db'}"
        named = {
            name: Upstream(
                url=url,
                private=private,
                models={"toy": (prices or {}).get(name, listed)},
                key=Secret("sk-upstream"),
                tee=(enclaves or {}).get(name),
            )
            for name, url in upstreams.items()
        }
        compute = ComputeSettings(**{"upstreams": named, "admin": "", **wanted})
        self._settings = Settings(home, {ComputeSettings: compute, StoreSettings: StoreSettings(url=Secret(url))})
        self._orders = Orders(home, self.url, compute)
        self._up, self._server, self._clients = threading.Event(), list[Server](), list[OpenAI]()

    def __enter__(self) -> Self:
        prepared(self._settings)
        self._place = listen("127.0.0.1", 0)
        if self._buffer:
            self._place.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._buffer)
        self.base = f"http://127.0.0.1:{self._place.getsockname()[1]}/v1"
        self._thread = threading.Thread(target=self._run, name="gateway")
        self._thread.start()
        assert self._up.wait(20), "the gateway did not start"
        self.deposit("ann", 1_000_000)
        self.ann = self.key("ann")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._clients:
            client.close()
        self._server[0].should_exit = True
        self._thread.join(20)
        self._place.close()
        assert not self._thread.is_alive()

    def key(self, account: str, *, scope: Scope | None = None, limits: Limits | None = None) -> str:
        """Returns the secret of a new key."""
        with Bare(self.url) as bare:
            return keys.make(bare, SystemClock(), account, scope=scope, limits=limits)[1]

    def deposit(self, account: str, micro: int) -> None:
        """Adds money to an account."""
        till = Till(self.url, SystemClock(), signer(self.home))
        till.deposit(account, micro, name=f"{account}-{micro}")
        till.bare.close()

    def balance(self, account: str) -> tuple[int, int]:
        """Returns what an account has, and of it what is reserved."""
        till = Till(self.url, SystemClock(), signer(self.home))
        found = till.balance(account)
        till.bare.close()
        return found.free, found.reserved

    def client(self, key: str = "", **options: Any) -> OpenAI:
        """Returns the official client of OpenAI's API."""
        self._clients.append(OpenAI(base_url=self.base, api_key=key or self.ann, **options))
        return self._clients[-1]

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Returns what the gateway answers to a request, sent as it is."""
        raw = json.dumps(body).encode() if isinstance(body, dict | list) else body
        raw = io.BytesIO(raw) if isinstance(raw, bytes) else raw
        return asyncio.run(self._send("POST", path, raw, headers or {}))

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Returns what the gateway answers to a look."""
        return asyncio.run(self._send("GET", path, None, headers or {}))

    async def _send(self, method: str, path: str, raw: Any, headers: Mapping[str, str]) -> Answer:
        sent = {"authorization": f"Bearer {self.ann}", "content-type": "application/json", **headers}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.base + path, data=raw, headers=sent) as answer,
        ):
            return Answer(answer.status, dict(answer.headers), await answer.read())

    def _run(self) -> None:
        asyncio.run(work(self._orders, self._place, ready=self._ready))

    def _ready(self, server: Server) -> None:
        self._server.append(server)
        self._up.set()


class Answer:
    """An answer of the gateway: status, headers by lower-case names, and body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.body = status, body
        self.headers = {name.lower(): value for name, value in headers.items()}

    @property
    def json(self) -> Any:
        """Returns the body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """Returns the error that the body tells of."""
        found: dict[str, Any] = self.json["error"]
        return found


def funded(home: Path) -> str:
    """Gives `ann` of an installation a dollar; returns the secret of a key of hers."""
    url = f"sqlite:///{home / 'mercato.db'}"
    with Till(url, SystemClock(), signer(home)) as till:
        till.deposit("ann", 1_000_000, name="first")
        return keys.make(till.bare, SystemClock(), "ann")[1]


def blank(folder: Path) -> Path:
    """Makes a database without rows, once for all tests of a process."""
    sqlite_store(folder).close()
    return folder / "mercato.db"


def furnished(home: Path, database: Path) -> Path:
    """Returns a data folder with a copy of the blank database."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(database, home / "mercato.db")
    return home
