"""An embedded chain behind its façade, and a JSON-RPC client that hides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import Facade, Limits
from mercato.chains.testing import ACCOUNTS, local

#: Small enough to be met by a test.
LIMITS = Limits(
    body=20_000, batch=5, log_blocks=50, logs=20, filters=3, kept=4, sockets=2, subscriptions=3, waiting=2_000,
    stall_seconds=1,
)  # fmt: skip
PAGE = "http://127.0.0.1:8000"


class Client:
    """Speaks to a façade word by word."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(self, body: object, **headers: str) -> httpx.Response:
        return self.http.post("/", json=body, headers=headers)

    def whole(self, method: str, *params: object) -> dict:
        """The whole answer to a request."""
        return dict(self.post({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}).json())

    def ask(self, method: str, *params: object):
        """The result of a request that succeeds."""
        answer = self.whole(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def fault(self, method: str, *params: object) -> tuple[int, str]:
        """Code and message of a request that is refused."""
        error = self.whole(method, *params)["error"]
        return error["code"], error["message"]


@pytest.fixture
def chain() -> LocalChain:
    return local()


@pytest.fixture
def facade(chain: LocalChain) -> Iterator[Facade]:
    with Facade(chain, 0, accounts=ACCOUNTS, origins=[PAGE], limits=LIMITS) as running:
        yield running


@pytest.fixture
def client(facade: Facade) -> Iterator[Client]:
    with httpx.Client(base_url=facade.url) as http:
        yield Client(http)


@pytest.fixture
def send(client: Client) -> Callable[..., str]:
    """Sends a wei from the first account to the second, and returns the hash."""

    def once(**more: str) -> str:
        return str(client.ask("eth_sendTransaction", {"from": ACCOUNTS[0], "to": ACCOUNTS[1], "value": "0x1", **more}))

    return once
