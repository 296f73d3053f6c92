"""The cluster's façade on the wire: pages, limits and subscriptions."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from mercato.chains.solana.facade import SolanaFacade
from mercato.chains.solana.facade.gateway import Gateway
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import SOL
from mercato.chains.solana.testing import keys, signed
from mercato.chains.solana.tokens import transfer_lamports
from tests.chains.solana.conftest import LIMITS, PAGE, Client

ANN, BEN = keys()[:2]


def test_pages_and_bodies_are_held_to_their_limits(http: httpx.Client) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "getHealth"}

    assert http.post("/", json=asked).json()["result"] == "ok"
    assert http.post("/", json=[asked] * (LIMITS.batch + 1)).json()["error"]["code"] == -32005
    assert http.post("/", json=asked, headers={"origin": "http://evil.example"}).status_code == 403
    assert http.post("/", json=asked, headers={"origin": PAGE}).status_code == 200
    assert http.post("/", json=asked, headers={"host": "evil.example"}).status_code == 403
    assert http.post("/", json={**asked, "params": ["x" * LIMITS.body]}).status_code == 413


def test_time_by_hand_can_be_left_out(cluster: LocalCluster) -> None:
    client = Client(Gateway(cluster, LIMITS, development=False).answer)

    assert client.fault("mercato_mine")["code"] == -32601


class Live:
    """One WebSocket connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def ask(self, method: str, *params: object) -> dict:
        self.socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}))
        return dict(json.loads(self.socket.recv(timeout=30)))

    def hear(self) -> dict:
        return dict(json.loads(self.socket.recv(timeout=30)))


def test_both_ports_speak_both(facade: SolanaFacade) -> None:
    other = facade.ws_url.replace("ws:", "http:")
    asked = {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}

    with connect(facade.url.replace("http:", "ws:")) as socket:
        assert httpx.post(other, json=asked).json()["result"] == Live(socket).ask("getSlot")["result"] == 0
    assert int(other.rsplit(":")[-1]) == int(facade.url.rsplit(":")[-1]) + 1


def test_a_signature_that_is_there_is_told_at_once_and_once(facade: SolanaFacade, cluster: LocalCluster) -> None:
    name = cluster.send_raw(signed(cluster, [transfer_lamports(ANN.address, BEN.address, SOL)], ANN))

    with connect(facade.ws_url) as socket:
        live = Live(socket)
        id = live.ask("signatureSubscribe", name)["result"]
        told = live.hear()
        gone = live.ask("signatureUnsubscribe", id)

    assert told["params"] == {"result": {"context": {"slot": 1}, "value": {"err": None}}, "subscription": id}
    assert gone["error"]["code"] == -32602


def test_news_from_beside_the_facade_are_told_too(facade: SolanaFacade, cluster: LocalCluster) -> None:
    with connect(facade.ws_url) as socket:
        live = Live(socket)
        live.ask("accountSubscribe", BEN.address)
        cluster.fund(BEN.address, 1)
        told = live.hear()

    assert (told["method"], told["params"]["result"]["value"]["lamports"]) == ("accountNotification", 1)


def test_after_going_back_the_new_blocks_are_told(facade: SolanaFacade, cluster: LocalCluster) -> None:
    with connect(facade.ws_url) as socket:
        live = Live(socket)
        mark = cluster.snapshot()
        live.ask("mercato_mine", 3)
        cluster.revert(mark)
        live.ask("slotSubscribe")
        cluster.mine()
        told = live.hear()

    assert told["params"]["result"] == {"parent": 0, "root": 1, "slot": 1}


def test_connections_and_subscriptions_are_counted(facade: SolanaFacade) -> None:
    with connect(facade.ws_url) as socket, connect(facade.ws_url):
        live = Live(socket)
        ids = [live.ask("slotSubscribe")["result"] for _ in range(LIMITS.subscriptions)]
        refused = live.ask("slotSubscribe")["error"]
        ended = live.ask("slotUnsubscribe", ids[0])["result"]
        with pytest.raises(Exception, match="HTTP 403"):
            connect(facade.ws_url)

    assert (refused["code"], ended) == (-32005, True)


def test_many_clients_at_once_pay_each_unit_once(facade: SolanaFacade, cluster: LocalCluster) -> None:
    before = cluster.balance(BEN.address)
    amounts = range(10**6, 10**6 + 80)
    raws = [signed(cluster, [transfer_lamports(ANN.address, BEN.address, amount)], ANN) for amount in amounts]

    def send(raw: bytes) -> str:
        params = [base64.b64encode(raw).decode(), {"encoding": "base64"}]
        asked = {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": params}
        return str(httpx.post(facade.url, json=asked).json()["result"])

    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(send, raws))

    assert len(names) == len(amounts) == cluster.height()
    assert cluster.balance(BEN.address) == before + sum(amounts)
