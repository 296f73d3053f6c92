"""What the façade tells of the tip: filters, subscriptions, forks, time by hand."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from mercato.chains import Deployed, Interface
from mercato.chains import deploy as made
from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import Facade
from mercato.chains.facade.tail import Tail
from mercato.chains.testing import ACCOUNTS, local
from mercato.contracts import load
from tests.chains.conftest import LIMITS, PAGE, Client

SECONDS = 30
TRANSFER = {"from": ACCOUNTS[0], "to": ACCOUNTS[1], "value": "0x1", "gas": "0x5208"}


class Socket:
    """A WebSocket of a façade: answers and news in the order in which they came."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def ask(self, method: str, *params: object) -> dict:
        self.connection.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}))
        return self.next()

    def next(self) -> dict:
        return dict(json.loads(self.connection.recv(timeout=SECONDS)))

    def news(self) -> tuple[str, object]:
        """The next message of a subscription: its id and what it says."""
        told = self.next()["params"]
        return told["subscription"], told["result"]


@pytest.fixture
def live(facade: Facade) -> Iterator[Socket]:
    with connect(facade.ws_url) as connection:
        yield Socket(connection)


@pytest.fixture
def dollar(chain: LocalChain) -> Deployed:
    artefact = load("test_dollar")
    return made(chain, artefact.abi, artefact.bytecode, sender=ACCOUNTS[0])


def test_blocks_are_told_with_their_heads_in_order(live: Socket, chain: LocalChain) -> None:
    id = live.ask("eth_subscribe", "newHeads")["result"]
    chain.mine(3)
    told = [live.news() for _ in range(3)]

    assert [one for one, _ in told] == [id] * 3
    heads = [dict(head) for _, head in told]  # type: ignore[call-overload]  # a head is an object
    assert [head["number"] for head in heads] == ["0x1", "0x2", "0x3"]
    assert [head["parentHash"] for head in heads[1:]] == [head["hash"] for head in heads[:2]]


def test_logs_are_told_again_as_removed_where_the_chain_goes_back(
    live: Socket, chain: LocalChain, dollar: Deployed
) -> None:
    topic = "0x" + Interface(load("test_dollar").abi).topic("Transfer").hex()
    live.ask("eth_subscribe", "logs", {"address": dollar.address, "topics": [topic]})
    mark = chain.snapshot()
    dollar.send("faucet", ACCOUNTS[1], 5, sender=ACCOUNTS[1])
    _, came = live.news()
    chain.revert(mark)
    _, went = live.news()

    assert isinstance(came, dict)
    assert came["removed"] is False
    assert went == {**came, "removed": True}


def test_a_transaction_is_told_once_whether_it_came_through_the_facade_or_not(
    live: Socket, chain: LocalChain, dollar: Deployed, send: Callable[..., str]
) -> None:
    live.ask("eth_subscribe", "newPendingTransactions")
    first = send()
    second = dollar.send("faucet", ACCOUNTS[1], 5, sender=ACCOUNTS[1]).transaction
    third = send()

    assert [live.news()[1] for _ in range(3)] == [first, second, third]


def test_nothing_is_told_before_or_after_a_subscription(live: Socket, send: Callable[..., str]) -> None:
    send()
    id = live.ask("eth_subscribe", "newHeads")["result"]
    send()
    assert live.news()[1]["number"] == "0x2"  # type: ignore[index]  # a head is an object

    assert live.ask("eth_unsubscribe", id)["result"] is True
    assert live.ask("eth_unsubscribe", id)["result"] is False
    send()
    assert live.ask("eth_blockNumber")["result"] == "0x3"


def test_a_socket_has_few_subscriptions_and_says_which_it_does_not_know(live: Socket, client: Client) -> None:
    for _ in range(LIMITS.subscriptions):
        assert live.ask("eth_subscribe", "newHeads")["result"].startswith("0x")

    assert live.ask("eth_subscribe", "newHeads")["error"]["code"] == -32005
    assert client.fault("eth_subscribe", "newHeads")[0] == -32601


@pytest.mark.parametrize("params", [["syncing"], ["newPendingTransactions", True], ["logs", []], []])
def test_what_cannot_be_subscribed_to_is_refused(live: Socket, params: list) -> None:
    assert live.ask("eth_subscribe", *params)["error"]["code"] == -32602


def test_a_page_of_another_origin_gets_no_socket(facade: Facade) -> None:
    with pytest.raises(InvalidStatus) as refused, connect(facade.ws_url, origin=Origin("http://evil.example")):
        pass
    assert refused.value.response.status_code == 403
    with connect(facade.ws_url, origin=Origin(PAGE)) as allowed:
        assert Socket(allowed).ask("eth_chainId")["result"] == "0x7a69"


def test_sockets_are_few(facade: Facade) -> None:
    with connect(facade.ws_url), connect(facade.ws_url), pytest.raises(InvalidStatus), connect(facade.ws_url):
        pass
    with connect(facade.ws_url) as later:
        assert Socket(later).ask("eth_chainId")["result"] == "0x7a69"


def test_a_long_message_ends_the_socket(live: Socket) -> None:
    live.connection.send(" " * (LIMITS.body + 1))

    with pytest.raises(ConnectionClosed):
        live.next()


def test_a_batch_over_a_socket_is_answered_as_one(live: Socket) -> None:
    ask = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
    live.connection.send(json.dumps([ask, ask]))
    answers = json.loads(live.connection.recv(timeout=SECONDS))

    assert [one["result"] for one in answers] == ["0x7a69"] * 2


def test_filters_tell_what_came_since_they_were_asked(
    client: Client, chain: LocalChain, dollar: Deployed, send: Callable[..., str]
) -> None:
    blocks, logs, waiting = (
        client.ask("eth_newBlockFilter"),
        client.ask("eth_newFilter", {"address": dollar.address, "fromBlock": "0x0"}),
        client.ask("eth_newPendingTransactionFilter"),
    )
    hash = send()
    dollar.send("faucet", ACCOUNTS[1], 5, sender=ACCOUNTS[1])

    assert client.ask("eth_getFilterChanges", blocks) == [chain.block(n).hash for n in (2, 3)]
    assert client.ask("eth_getFilterChanges", waiting) == [hash, *chain.block(3).transactions]
    (log,) = client.ask("eth_getFilterChanges", logs)
    assert (log["blockNumber"], log["transactionHash"]) == ("0x3", chain.block(3).transactions[0])
    assert client.ask("eth_getFilterChanges", logs) == []
    assert client.ask("eth_getFilterLogs", logs) == [log]
    assert client.fault("eth_getFilterLogs", blocks)[0] == -32000


def test_marks_are_reverted_to_in_any_order_and_time_passes_by_hand(client: Client, chain: LocalChain) -> None:
    first, second = client.ask("evm_snapshot"), client.ask("evm_snapshot")
    client.ask("evm_increaseTime", 3600)
    client.ask("evm_mine", {"blocks": 2})
    client.ask("anvil_setBalance", ACCOUNTS[9], "0x1")
    start = chain.block(0).time

    assert (chain.time() - start, chain.block().number, chain.balance(ACCOUNTS[9])) == (3602, 3, 1)
    assert client.ask("evm_revert", first) is True
    assert (chain.time(), chain.block().number) == (start, 0)
    assert client.ask("evm_revert", second) is False
    client.ask("evm_mine", start + 50)
    assert chain.time() == start + 50


def test_the_tail_tells_of_a_fork_and_of_what_replaced_it(chain: LocalChain) -> None:
    chain.mine(2)
    tail = Tail(chain)
    mark = chain.snapshot()
    chain.mine(3)
    gone = [one.block for one in tail.advance()]
    chain.revert(mark)
    chain.mine(4, seconds=9)
    told = tail.advance()

    assert [one.block for one in told if one.removed] == gone[::-1]
    assert [one.block.number for one in told if not one.removed] == [3, 4, 5, 6]
    assert tail.advance() == []


def test_a_tail_that_lost_everything_it_remembers_goes_on(chain: LocalChain) -> None:
    mark = chain.snapshot()
    chain.mine(5)
    tail = Tail(chain)
    chain.revert(mark)
    chain.mine(2, seconds=7)

    assert [(one.block.number, one.removed) for one in tail.advance()] == [(5, True)]
    chain.mine(1)
    assert [one.block.number for one in tail.advance()] == [3]


def test_a_transaction_that_waits_is_told_at_once_and_not_again_with_its_block() -> None:
    chain = local(automine=False)
    with Facade(chain, 0, accounts=ACCOUNTS) as facade, connect(facade.ws_url) as connection:
        live = Socket(connection)
        live.ask("eth_subscribe", "newPendingTransactions")
        connection.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_sendTransaction", "params": [TRANSFER]}))
        hash = live.next()["result"]
        told = live.news()[1]
        waiting = live.ask("eth_getTransactionByHash", hash)["result"]
        missing = live.ask("eth_getTransactionReceipt", hash)["result"]
        live.ask("evm_mine")
        later = live.ask("eth_getTransactionByHash", hash)["result"]

    assert (told, waiting["blockHash"], missing) == (hash, None, None)
    assert later["blockNumber"] == "0x1"


def narrow(facade: Facade) -> socket.socket:
    """A connection to a façade on which little fits that nobody reads."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = facade.address.split(":")
    made.connect((host, int(port)))
    return made


def drained(connection: ClientConnection) -> None:
    """Reads until there is nothing more."""
    while True:
        connection.recv(timeout=SECONDS)


def test_a_socket_that_does_not_read_is_closed_and_others_go_on(facade: Facade, chain: LocalChain) -> None:
    told = 0
    with (
        connect(facade.ws_url, sock=narrow(facade), max_queue=1, compression=None) as deaf,
        connect(facade.ws_url) as awake,
    ):
        for connection in (deaf, awake):
            Socket(connection).ask("eth_subscribe", "newHeads")
        for _ in range(12):
            chain.mine(500)
            told += len([Socket(awake).news() for _ in range(500)])
        with pytest.raises(ConnectionClosed):
            drained(deaf)

    assert told == 6000
