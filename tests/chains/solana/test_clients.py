"""Clients as they come speak to the cluster's façade: @solana/kit and @solana/web3.js under Deno, solana-py here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.core import RPCException
from solana.rpc.models import TokenAccountOpts, TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.rpc.config import RpcTransactionLogsFilterMentions
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.system_program import TransferParams
from solders.system_program import transfer as pay
from solders.transaction import VersionedTransaction
from solders.transaction_status import (
    InstructionErrorCustom,
    TransactionErrorFieldless,
    TransactionErrorInstructionError,
)  # fmt: skip

from mercato.chains.solana import clusters
from mercato.chains.solana.facade import SolanaFacade
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import SOL, SYSTEM, TOKEN
from mercato.chains.solana.testing import SEEDS, issue, keys, local
from mercato.chains.solana.tokens import MINT_SIZE, WRAPPED
from tests import npm

CLIENTS = Path(__file__).parent / "clients"
ANN = keys()[0]
PAIR = Keypair.from_seed(SEEDS[0])
BEN = Pubkey.from_string("CktRuQ2mttgRGkXJtyksdKHjUdc2C4TgDzyB98oEzy8")  # who has nothing yet
FEE = 5_000
BROKE = {"InstructionError": [0, {"Custom": 1}]}
WORDS = "Error processing Instruction 0: custom program error: 0x1"


@pytest.fixture
def cluster() -> LocalCluster:
    return local()


@pytest.fixture
def facade(cluster: LocalCluster) -> Iterator[SolanaFacade]:
    with SolanaFacade(cluster, 0) as running:
        yield running


def spoken(client: str, *arguments: str) -> dict[str, object]:
    """What a client's script saw."""
    ran = npm.run(CLIENTS / f"{client}.ts", *arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return dict(json.loads(ran.stdout))


@pytest.mark.npm
def test_kit_sends_reads_and_listens(facade: SolanaFacade) -> None:
    saw = spoken("kit", facade.url, facade.ws_url, SEEDS[0].hex())

    assert saw == {
        "balance": 3 * SOL, "fee": FEE, "version": 0, "status": "finalized", "listed": 2, "token": 250, "parsed": "2.5",
        "spent": ["250", "750"], "held": "7.5", "refused": "SolanaError: Custom program error: #1 (instruction #1)",
        "simulated": BROKE, "expired": "SolanaError: Blockhash not found", "heard": [2 * SOL, 3 * SOL], "logs": True,
        "slots": True,
    }  # fmt: skip


@pytest.mark.npm
def test_web3_js_sends_reads_and_listens(facade: SolanaFacade, cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 1_000)

    saw = spoken("web3", facade.url, SEEDS[0].hex(), token, ANN.address)

    assert saw == {
        "balance": 3 * SOL, "fee": FEE, "estimate": FEE, "version": "legacy", "signer": True, "inBlock": 1, "listed": 2,
        "refused": True, "logs": 3, "simulated": BROKE, "failed": BROKE, "expired": True, "good": False, "epoch": 0,
        "token": "1000", "sizes": [MINT_SIZE, 0, None], "heard": [2 * SOL, 3 * SOL], "logged": True, "slots": True,
        "programs": True,
    }  # fmt: skip


async def transfer(client: AsyncClient, lamports: int = SOL) -> VersionedTransaction:
    recent = (await client.get_latest_blockhash()).value.blockhash
    step = pay(TransferParams(from_pubkey=PAIR.pubkey(), to_pubkey=BEN, lamports=lamports))
    return VersionedTransaction(MessageV0.try_compile(PAIR.pubkey(), [step], [], recent), [PAIR])


def test_solana_py_sends_and_reads(facade: SolanaFacade, cluster: LocalCluster) -> None:
    token = Pubkey.from_string(issue(cluster, ANN, 1_000))

    async def speak() -> None:
        async with AsyncClient(facade.url, http2=False) as client:
            made = await transfer(client)
            options = TxOpts(skip_confirmation=False, preflight_commitment=Confirmed)
            name = (await client.send_transaction(made, options)).value
            found = (await client.get_transaction(name, max_supported_transaction_version=0)).value
            parsed = (await client.get_transaction(name, "jsonParsed", max_supported_transaction_version=0)).value
            raw = (await client.get_transaction(name, "base64", max_supported_transaction_version=0)).value
            slot = (await client.get_slot()).value
            block = (await client.get_block(slot, max_supported_transaction_version=0)).value
            listed = (await client.get_signatures_for_address(BEN)).value
            owned = (await client.get_token_accounts_by_owner(PAIR.pubkey(), TokenAccountOpts(mint=token))).value
            kept = (await client.get_program_accounts(Pubkey.from_string(TOKEN), filters=[MINT_SIZE])).value
            minted = (await client.get_account_info_json_parsed(token)).value
            supply = (await client.get_token_supply(token)).value
            largest = (await client.get_token_largest_accounts(token)).value
            height = (await client.get_block_height()).value
            assert isinstance(made.message, MessageV0)
            fee = (await client.get_fee_for_message(made.message)).value

        assert found
        assert found.transaction.meta
        assert (found.transaction.meta.fee, found.slot, found.transaction.version) == (FEE, slot, 0)
        assert parsed
        assert raw
        assert raw.transaction.transaction == made
        assert block
        assert block.transactions
        assert [one.signature for one in listed] == [name]
        assert [len(bytes(one.account.data)) for one in owned] == [165]
        assert {str(one.pubkey) for one in kept} == {str(token), WRAPPED}
        assert minted
        assert json.loads(minted.to_json())["data"]["parsed"]["info"]["supply"] == "1000"
        assert (supply.amount, supply.ui_amount_string, largest[0].amount.amount) == ("1000", "0.001", "1000")
        assert (height, fee) == (slot, FEE)

    asyncio.run(speak())


def test_solana_py_reads_what_a_node_tells_of_itself(facade: SolanaFacade, cluster: LocalCluster) -> None:
    cluster.mine(3)

    async def speak() -> None:
        async with AsyncClient(facade.url, http2=False) as client:
            assert await client.is_connected()
            assert str((await client.get_genesis_hash()).value) == clusters.GENESIS
            assert (await client.get_epoch_info()).value.absolute_slot == 3
            assert (await client.get_epoch_schedule()).value.slots_per_epoch == 432_000
            assert (await client.get_blocks(1)).value == [1, 2, 3]
            assert (await client.get_block_time(3)).value == cluster.time()
            assert (await client.get_first_available_block()).value == 0
            assert (await client.get_minimum_ledger_slot()).value == 0
            assert (await client.get_version()).value.solana_core
            assert (await client.get_vote_accounts()).value.current == []
            assert len((await client.get_recent_prioritization_fees()).value) == 4
            assert (await client.get_transaction_count()).value == 0
            assert (await client.get_minimum_balance_for_rent_exemption(165)).value == cluster.rent(165)
            assert (await client.get_balance(PAIR.pubkey())).value == cluster.balance(ANN.address)
            found = (await client.get_multiple_accounts([PAIR.pubkey(), Pubkey.new_unique()])).value
            assert [one and one.lamports for one in found] == [cluster.balance(ANN.address), None]
            assert (await client.get_account_info(BEN)).value is None

    asyncio.run(speak())


def test_solana_py_reads_why_a_transaction_was_refused(facade: SolanaFacade, cluster: LocalCluster) -> None:
    async def speak() -> None:
        async with AsyncClient(facade.url, http2=False) as client:
            with pytest.raises(RPCException) as poor:
                await client.send_transaction(await transfer(client, 10**18))
            late = await transfer(client)
            cluster.mine(150)
            with pytest.raises(RPCException) as old:
                await client.send_transaction(late)
            tried = (await client.simulate_transaction(late, replace_recent_blockhash=True)).value
            untried = (await client.simulate_transaction(late)).value

        (told,), (expired,) = poor.value.args, old.value.args
        assert isinstance(told, SendTransactionPreflightFailureMessage)
        assert told.message == f"Transaction simulation failed: {WORDS}"
        assert told.data.err == TransactionErrorInstructionError(0, InstructionErrorCustom(1))
        assert expired.data.err == TransactionErrorFieldless.BlockhashNotFound
        assert (tried.err, untried.err) == (None, TransactionErrorFieldless.BlockhashNotFound)
        assert tried.units_consumed

    asyncio.run(speak())


def test_solana_py_subscribes(facade: SolanaFacade, cluster: LocalCluster) -> None:
    async def listen() -> list[Any]:
        async with AsyncClient(facade.url, http2=False) as client, SolanaWsClient(facade.ws_url) as live:
            made = await transfer(client)
            name = made.signatures[0]
            await live.account_subscribe(pubkey=BEN)
            await live.logs_subscribe(filter_=RpcTransactionLogsFilterMentions(BEN))
            await live.program_subscribe(program_id=Pubkey.from_string(SYSTEM))
            await live.signature_subscribe(signature=name)
            await live.slot_subscribe()
            await live.root_subscribe()
            await client.send_transaction(made)
            async with asyncio.timeout(30):
                return [await live.recv() for _ in range(7)]

    found = {type(one).__name__: one.result for one in asyncio.run(listen())}

    assert found["AccountNotification"].value.lamports == SOL
    assert len(found["LogsNotification"].value.logs) == 2
    assert found["SignatureNotification"].value.err is None
    assert (found["SlotNotification"].slot, found["SlotNotification"].parent) == (1, 0)
    assert found["RootNotification"] == 1
    assert found["ProgramNotification"].value.account.lamports in (SOL, cluster.balance(ANN.address))
