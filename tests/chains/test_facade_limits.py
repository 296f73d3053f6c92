"""Who may call the façade, and how much one may ask of it."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from mercato.chains.evm.local import LocalChain
from mercato.chains.facade import Facade
from mercato.chains.facade.doorkeeper import Doorkeeper
from mercato.chains.testing import ACCOUNTS, local
from mercato.core.errors import ConfigError, Conflict
from tests.chains.conftest import LIMITS, PAGE, Client

ASK = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}
WALLET = "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9", "null", "https://127.0.0.1:8000"])
def test_a_page_of_another_origin_is_refused(client: Client, origin: str) -> None:
    refused = client.post(ASK, origin=origin)

    assert refused.status_code == 403
    assert origin in refused.text
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("origin", [PAGE, WALLET])
def test_our_pages_and_wallets_may_call(client: Client, origin: str) -> None:
    asked = client.http.options("/", headers={"origin": origin, "access-control-request-method": "POST"})
    answered = client.post(ASK, origin=origin)

    assert (asked.status_code, answered.status_code) == (204, 200)
    assert asked.headers["access-control-allow-headers"] == "content-type"
    assert {asked.headers["access-control-allow-origin"], answered.headers["access-control-allow-origin"]} == {origin}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8545", "127.0.0.1.evil.example", "", "[", "@127.0.0.1"])
def test_a_name_that_leads_here_but_is_not_ours_is_refused(client: Client, host: str) -> None:
    assert client.post(ASK, host=host).status_code in {400, 403}


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:9", "[::1]:8545", "node.example:80"])
def test_names_of_this_machine_are_ours_in_any_case_and_with_any_port(host: str) -> None:
    assert Doorkeeper(hosts=frozenset({"node.example"})).objection({"host": host}) == ""


def test_only_json_is_taken_since_pages_may_send_text_anywhere(client: Client) -> None:
    assert client.http.post("/", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.http.post("/", content=b"{}").status_code == 415
    assert client.http.get("/").status_code == 405


def test_a_long_body_is_refused_also_where_it_does_not_say_its_length(client: Client) -> None:
    kind = {"content-type": "application/json"}
    parts = (b" " * 1000 for _ in range(LIMITS.body // 1000 + 2))

    assert client.http.post("/", content=b" " * (LIMITS.body + 1), headers=kind).status_code == 413
    assert client.http.post("/", content=parts, headers=kind).status_code == 413
    assert client.post(ASK).status_code == 200


def test_a_long_batch_is_refused(client: Client) -> None:
    assert client.post([ASK] * LIMITS.batch).json() == [{"jsonrpc": "2.0", "id": 1, "result": "0x7a69"}] * LIMITS.batch
    assert client.post([ASK] * (LIMITS.batch + 1)).json()["error"]["code"] == -32005


def test_a_wide_range_and_a_long_answer_of_logs_are_refused(client: Client, chain: LocalChain) -> None:
    chain.mine(LIMITS.log_blocks)

    assert client.fault("eth_getLogs", {"fromBlock": "earliest"})[0] == -32005
    assert client.ask("eth_getLogs", {"fromBlock": "0x1"}) == []
    assert client.ask("eth_getLogs", {"fromBlock": "0x1", "toBlock": "0xffffffff"}) == []


def test_filters_are_few_and_are_forgotten(client: Client, send: Callable[..., str]) -> None:
    ids = [client.ask("eth_newBlockFilter") for _ in range(LIMITS.filters)]

    assert client.fault("eth_newBlockFilter")[0] == -32005
    assert client.ask("eth_uninstallFilter", ids[0]) is True
    assert client.ask("eth_uninstallFilter", ids[0]) is False
    assert client.fault("eth_getFilterChanges", ids[0]) == (-32000, "filter not found")
    hashes = [send() for _ in range(LIMITS.kept + 2)]
    assert len(client.ask("eth_getFilterChanges", ids[1])) == LIMITS.kept
    assert hashes


def test_it_listens_on_loopback_unless_its_names_are_given(chain: LocalChain) -> None:
    with pytest.raises(ConfigError, match=r"host of the façade was '0\.0\.0\.0'"):
        Facade(chain, 0, host="0.0.0.0")
    with Facade(chain, 0, host="0.0.0.0", hosts=["node.example"]) as facade:
        assert facade.url.startswith("http://0.0.0.0:")


def test_a_port_that_is_taken_is_said_or_another_one_is_found(chain: LocalChain) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="choose another port"):
        Facade(chain, taken.getsockname()[1]).start()
    with Facade(chain) as first, Facade(chain) as second:
        assert first.url != second.url


def test_it_is_started_once_and_stopped_as_often_as_one_likes(chain: LocalChain) -> None:
    facade = Facade(chain, 0)
    with pytest.raises(Conflict, match="was not started"):
        str(facade.url)
    facade.start()
    with pytest.raises(Conflict, match="started already"):
        facade.start()
    facade.stop()
    facade.stop()

    with pytest.raises(Conflict, match="was not started"):
        str(facade.ws_url)


def test_without_development_nobody_makes_blocks_or_sends_unsigned() -> None:
    chain = local()
    with Facade(chain, 0, development=False) as facade:
        import httpx

        with httpx.Client(base_url=facade.url) as http:
            client = Client(http)

            assert client.fault("evm_mine")[0] == -32601
            assert client.ask("eth_accounts") == []
            assert client.fault("eth_sendTransaction", {"from": ACCOUNTS[0], "to": ACCOUNTS[1]})[1] == "unknown account"
    assert chain.block().number == 0
