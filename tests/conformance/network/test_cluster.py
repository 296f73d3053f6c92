"""A Solana cluster in this process and one behind JSON-RPC give the same answers."""

from __future__ import annotations

import pytest

from mercato.chains.errors import BadCall, Reverted
from mercato.chains.solana import clusters
from mercato.chains.solana.base58 import encode
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.messages import assemble, compile_message, sign
from mercato.chains.solana.model import SYSTEM, TOKEN, TOKEN_2022, Account, Address, Cluster, Held
from mercato.chains.solana.testing import WEALTH, issue, keys, signed
from mercato.chains.solana.tokens import (
    ACCOUNT_SIZE,
    associated,
    create_associated,
    mint,
    token_account,
    transfer_lamports,
    transfer_tokens,
)  # fmt: skip
from mercato.core.errors import NotFound
from tests.conformance.network.conftest import Rig

ANN, BEN = keys()[:2]
AMOUNT = 10**9


@pytest.fixture
def cluster(solana_rig: Rig) -> Cluster:
    assert solana_rig.cluster
    return solana_rig.cluster


def message(cluster: Cluster, lamports: int = AMOUNT) -> bytes:
    steps = [transfer_lamports(ANN.address, BEN.address, lamports)]
    return compile_message(ANN.address, steps, cluster.lifetime().blockhash)


def test_it_is_the_embedded_one(cluster: Cluster) -> None:
    assert cluster.name == clusters.EMBEDDED


def test_accounts_are_read_together(cluster: Cluster) -> None:
    found = cluster.accounts([ANN.address, SolanaKey.new().address, SYSTEM])

    assert found[0] == Account(WEALTH, SYSTEM)
    assert found[1] is None
    assert found[2]
    assert found[2].executable


@pytest.mark.parametrize("program", [TOKEN, TOKEN_2022])
def test_a_receipt_tells_whose_tokens_moved(cluster: Cluster, program: Address) -> None:
    token = issue(cluster, ANN, 1_000, program=program)
    mine, yours = (associated(key.address, token, program) for key in (ANN, BEN))
    steps = [
        create_associated(ANN.address, BEN.address, token, program),
        transfer_tokens(mine, yours, token, ANN.address, 250, 6, program),
    ]
    receipt = cluster.wait(cluster.send_raw(signed(cluster, steps, ANN)))

    assert set(receipt.held) == {Held(mine, token, ANN.address, 1_000)}
    assert set(receipt.holds) == {Held(mine, token, ANN.address, 750), Held(yours, token, BEN.address, 250)}


def test_a_simulation_tells_its_fee_and_the_final_chain_its_height(cluster: Cluster) -> None:
    assert cluster.simulate(assemble(message(cluster))).fee == 5_000
    assert cluster.height(final=True) == cluster.height()


@pytest.mark.parametrize("program", [TOKEN, TOKEN_2022])
def test_tokens_move(cluster: Cluster, program: Address) -> None:
    token = issue(cluster, ANN, 1_000, program=program)
    mine, yours = (associated(key.address, token, program) for key in (ANN, BEN))
    steps = [
        create_associated(ANN.address, BEN.address, token, program),
        transfer_tokens(mine, yours, token, ANN.address, 250, 6, program),
    ]

    receipt = cluster.wait(cluster.send_raw(signed(cluster, steps, ANN)))

    amounts = {at: held.amount for at, one in cluster.owned(program).items() if (held := token_account(one))}
    assert amounts == {mine: 750, yours: 250}
    made = mint(cluster.accounts([token])[0])
    assert made
    assert made.supply == 1_000
    assert receipt.accounts[0] == ANN.address
    assert dict(zip(receipt.accounts, receipt.after, strict=True))[yours] > 0
    assert f"Program {program} success" in receipt.logs
    assert len(cluster.owned(TOKEN, ACCOUNT_SIZE)) == 2 * (program == TOKEN)


def test_a_simulation_tells_what_would_be(cluster: Cluster) -> None:
    raw = assemble(message(cluster))

    found = cluster.simulate(raw, [BEN.address, SolanaKey.new().address])

    assert (found.succeeded, found.units, found.accounts) == (True, 150, (Account(WEALTH + AMOUNT, SYSTEM), None))
    assert cluster.balance(BEN.address) == WEALTH


def test_a_failing_simulation_tells_why(cluster: Cluster) -> None:
    found = cluster.simulate(assemble(message(cluster, WEALTH + 1)))

    assert (found.succeeded, found.accounts, found.error) == (False, (), {"InstructionError": [0, {"Custom": 1}]})
    assert found.reason == "Error processing Instruction 0: custom program error: 0x1"
    assert found.logs


def test_a_refusal_carries_its_reason(cluster: Cluster) -> None:
    with pytest.raises(Reverted) as refused:
        cluster.send_raw(sign(message(cluster, WEALTH + 1), [ANN]))

    assert refused.value.reason == "Error processing Instruction 0: custom program error: 0x1"


def test_a_blockhash_expires(cluster: Cluster, solana_rig: Rig) -> None:
    told, raw = cluster.lifetime(), message(cluster)
    solana_rig.ground.mine(150)

    assert (cluster.height(), told.last_height) == (150, 150)
    with pytest.raises(BadCall, match="Blockhash not found"):
        cluster.send_raw(sign(raw, [ANN]))
    with pytest.raises(BadCall, match="Blockhash not found"):
        cluster.fee(raw)


def test_a_forged_signature_is_refused(cluster: Cluster) -> None:
    with pytest.raises(BadCall, match="signature verification"):
        cluster.send_raw(assemble(message(cluster), [bytes(64)]))


def test_blocks_are_linked(cluster: Cluster, solana_rig: Rig) -> None:
    name = cluster.send_raw(sign(message(cluster), [ANN]))
    solana_rig.ground.mine()

    newest, before = cluster.block(), cluster.block(1)

    assert (newest.slot, newest.height, newest.parent, newest.parent_slot) == (2, 2, before.hash, 1)
    assert (before.transactions, newest.transactions) == ((name,), ())
    assert newest.time == before.time + 1 == cluster.time()
    with pytest.raises(NotFound):
        cluster.block(3)


def test_an_addresses_history_is_newest_first(cluster: Cluster) -> None:
    names = [cluster.send_raw(sign(message(cluster, lamports), [ANN])) for lamports in (1, 2, 3)]

    assert cluster.history(BEN.address) == tuple(reversed(names))
    assert cluster.history(BEN.address, limit=2) == (names[2], names[1])
    assert cluster.history(SolanaKey.new().address) == ()


def test_fees_and_rent_are_told_before(cluster: Cluster) -> None:
    raw = message(cluster)

    assert cluster.fee(raw) == 5_000
    assert cluster.wait(cluster.send_raw(sign(raw, [ANN]))).fee == 5_000
    assert cluster.rent(0) < cluster.rent(165)


def test_prices_of_recent_blocks_are_told(cluster: Cluster) -> None:
    assert set(cluster.priorities()) == set(cluster.priorities([ANN.address])) == {0}
    with pytest.raises(BadCall, match="addresses were 129"):
        cluster.priorities([ANN.address] * 129)


def test_what_is_no_address_is_refused(cluster: Cluster) -> None:
    for wrong in ("0x12", "", encode(bytes(31))):
        with pytest.raises(BadCall):
            cluster.accounts([Address(wrong)])
