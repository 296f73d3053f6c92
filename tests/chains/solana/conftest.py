"""An embedded cluster behind its façade, and a JSON-RPC client that hides nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from mercato.chains.solana.facade import Limits, SolanaFacade
from mercato.chains.solana.facade.gateway import Gateway
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.testing import local

#: Small enough to be met by a test.
LIMITS = Limits(body=20_000, batch=5, sockets=2, subscriptions=3, waiting=2_000, stall_seconds=1)
PAGE = "http://127.0.0.1:8000"


class Client:
    """Speaks to a façade word by word; `answer` turns a request's text into an answer's."""

    def __init__(self, answer: Callable[[bytes], str | None]) -> None:
        self._answer = answer

    def whole(self, method: str, *params: object) -> dict:
        """The whole answer to a request."""
        asked = {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}
        return dict(json.loads(self._answer(json.dumps(asked).encode()) or ""))

    def ask(self, method: str, *params: object):
        """The result of a request that succeeds."""
        answer = self.whole(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def value(self, method: str, *params: object):
        """The value of a result that comes with a context."""
        return self.ask(method, *params)["value"]

    def fault(self, method: str, *params: object) -> dict:
        """The error of a request that is refused."""
        return dict(self.whole(method, *params)["error"])


@pytest.fixture
def cluster() -> LocalCluster:
    return local()


@pytest.fixture
def facade(cluster: LocalCluster) -> Iterator[SolanaFacade]:
    with SolanaFacade(cluster, 0, origins=[PAGE], limits=LIMITS) as running:
        yield running


@pytest.fixture
def http(facade: SolanaFacade) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=facade.url) as opened:
        yield opened


@pytest.fixture
def client(cluster: LocalCluster) -> Client:
    """What stands behind the façade, without the wire."""
    return Client(Gateway(cluster, LIMITS, development=True).answer)
