"""Clients as they come speak to the façade: web3.py here, viem and ethers under Deno."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mercato.chains.facade import Facade
from mercato.chains.testing import ACCOUNTS, KEYS, local
from mercato.contracts import load
from tests import npm

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its imports warn of what websockets will drop
    from web3 import AsyncWeb3, Web3, WebSocketProvider
    from web3.exceptions import ContractLogicError, Web3RPCError

CLIENTS = Path(__file__).parent / "clients"
DOLLAR = load("test_dollar")
REASON = "erc20: balance too small"


@pytest.fixture
def facade() -> Iterator[Facade]:
    with Facade(local(), 0, accounts=ACCOUNTS) as running:
        yield running


@pytest.fixture
def artefact(tmp_path: Path) -> Path:
    """The dollar's ABI and bytecode as a client reads them."""
    file = tmp_path / "dollar.json"
    file.write_text(json.dumps({"abi": DOLLAR.abi, "bytecode": "0x" + DOLLAR.bytecode.hex()}))
    return file


def spoken(client: str, facade: Facade, artefact: Path) -> dict[str, object]:
    """What a client's script saw."""
    ran = npm.run(CLIENTS / f"{client}.ts", facade.url, facade.ws_url, "0x" + KEYS[0].hex(), str(artefact))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return dict(json.loads(ran.stdout))


@pytest.mark.npm
def test_viem_deploys_sends_reads_and_listens(facade: Facade, artefact: Path) -> None:
    saw = spoken("viem", facade, artefact)

    assert saw == {
        "status": "success", "balance": 400, "from": True, "amounts": [1000, 400], "reason": REASON, "broke": True,
        "stale": True, "heard": [1000, 400], "polled": [1000, 400], "heads": True, "pending": True, "passed": 3600,
        "reverted": True, "fees": 10**9,
    }  # fmt: skip


@pytest.mark.npm
def test_ethers_deploys_sends_reads_and_listens(facade: Facade, artefact: Path) -> None:
    saw = spoken("ethers", facade, artefact)

    assert saw == {
        "status": 1, "balance": 400, "amounts": [1000, 400], "reason": REASON, "early": True, "broke": True,
        "stale": True, "heard": [1000, 400], "polled": [1000, 400], "heads": True, "pending": True, "listed": 10,
    }  # fmt: skip


def test_web3_deploys_sends_and_reads(facade: Facade) -> None:
    client: Any = Web3(Web3.HTTPProvider(facade.url))  # its types know too little of contracts
    owner = client.eth.account.from_key(KEYS[0])
    other = client.eth.account.create()

    def signed(call, account=owner):
        fields = {"from": account.address, "nonce": client.eth.get_transaction_count(account.address)}
        raw = account.sign_transaction(call.build_transaction(fields)).raw_transaction
        return client.eth.wait_for_transaction_receipt(client.eth.send_raw_transaction(raw))

    deployed = signed(client.eth.contract(abi=DOLLAR.abi, bytecode=DOLLAR.bytecode).constructor())
    dollar = client.eth.contract(deployed.contractAddress, abi=DOLLAR.abi)
    given = signed(dollar.functions.faucet(owner.address, 1000))
    waiting = client.eth.filter({"address": dollar.address})
    signed(dollar.functions.transfer(other.address, 400))

    assert given.status == 1
    assert dollar.functions.balanceOf(other.address).call() == 400
    assert [log.args.value for log in dollar.events.Transfer.get_logs(from_block=0)] == [1000, 400]
    assert [log.args.value for log in dollar.events.Transfer().process_receipt(given)] == [1000]
    assert [int(log.data.hex(), 16) for log in waiting.get_new_entries()] == [400]
    assert client.eth.get_block("latest", full_transactions=True).transactions[0]["from"] == owner.address
    assert bytes(client.eth.get_code(dollar.address)) != b""


def test_web3_tells_why_a_transaction_was_refused(facade: Facade) -> None:
    client: Any = Web3(Web3.HTTPProvider(facade.url))  # its types know too little of contracts
    factory = client.eth.contract(abi=DOLLAR.abi, bytecode=DOLLAR.bytecode)
    made = client.eth.wait_for_transaction_receipt(factory.constructor().transact({"from": client.eth.accounts[0]}))
    transfer = client.eth.contract(made.contractAddress, abi=DOLLAR.abi).functions.transfer(client.eth.accounts[1], 1)

    with pytest.raises(ContractLogicError, match=REASON):
        transfer.call({"from": client.eth.accounts[2]})
    with pytest.raises(ContractLogicError, match=REASON):
        transfer.transact({"from": client.eth.accounts[2]})
    with pytest.raises(ContractLogicError, match=REASON):
        transfer.estimate_gas({"from": client.eth.accounts[2]})
    with pytest.raises(Web3RPCError, match="nonce too low"):
        client.eth.send_transaction({"from": client.eth.accounts[0], "to": client.eth.accounts[1], "nonce": 0})


def test_web3_subscribes(facade: Facade) -> None:
    async def listen() -> tuple[list[str], int]:
        async with AsyncWeb3(WebSocketProvider(facade.ws_url)) as opened:
            client: Any = opened
            ids = [await client.eth.subscribe(kind) for kind in ("newHeads", "newPendingTransactions")]
            sender, receiver, *_ = await client.eth.accounts
            hash = await client.eth.send_transaction({"from": sender, "to": receiver, "value": 1})
            found: dict[str, Any] = {}
            news = client.socket.process_subscriptions()
            async with asyncio.timeout(30):
                while len(found) < len(ids):
                    message = await anext(news)
                    found[message["subscription"]] = message["result"]
            return [found[ids[1]].hex(), hash.hex()], found[ids[0]]["number"]

    (pending, sent), number = asyncio.run(listen())

    assert pending == sent
    assert number == 1
