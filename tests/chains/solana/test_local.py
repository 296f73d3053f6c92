"""The embedded cluster does what a node does: who signed, how long, what it cost, and what is left of it."""

from __future__ import annotations

import pytest

from mercato.chains.errors import BadCall, Reverted, StaleSnapshot, Unreachable
from mercato.chains.solana import clusters
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.local import WINDOW, LocalCluster
from mercato.chains.solana.messages import assemble, compile_message, sign
from mercato.chains.solana.model import SOL, SYSTEM, TOKEN, TOKEN_2022, Account, Address, Instruction
from mercato.chains.solana.testing import WEALTH, issue, keys, local, signed
from mercato.chains.solana.tokens import (
    MINT_SIZE,
    WRAPPED,
    associated,
    create_associated,
    mint,
    token_account,
    transfer_lamports,
    transfer_tokens,
)  # fmt: skip
from mercato.core.errors import NotFound

ANN, BEN, CAM = keys()[:3]
FEE = 5_000  # lamports of one signature


@pytest.fixture
def cluster() -> LocalCluster:
    return local()


def pay(cluster: LocalCluster, lamports: int = SOL, payer: SolanaKey = ANN) -> bytes:
    return signed(cluster, [transfer_lamports(payer.address, BEN.address, lamports)], payer)


def test_a_transfer_moves_lamports_and_costs_a_signature(cluster: LocalCluster) -> None:
    receipt = cluster.wait(cluster.send_raw(pay(cluster)))

    assert (receipt.succeeded, receipt.fee, receipt.slot, receipt.reason) == (True, FEE, 1, "")
    assert receipt.accounts == (ANN.address, BEN.address, SYSTEM)
    assert receipt.before[:2] == (WEALTH, WEALTH)
    assert receipt.after[:2] == (WEALTH - SOL - FEE, WEALTH + SOL)
    assert receipt.logs == (f"Program {SYSTEM} invoke [1]", f"Program {SYSTEM} success")
    assert cluster.balance(BEN.address) == WEALTH + SOL


def test_what_would_fail_is_refused_and_leaves_no_trace(cluster: LocalCluster) -> None:
    with pytest.raises(Reverted, match="Error processing Instruction 0: custom program error: 0x1"):
        cluster.send_raw(pay(cluster, WEALTH + 1))

    assert (cluster.height(), cluster.balance(ANN.address)) == (0, WEALTH)


def test_without_preflight_a_failure_is_kept_and_paid_for(cluster: LocalCluster) -> None:
    receipt = cluster.wait(cluster.send_raw(pay(cluster, WEALTH + 1), preflight=False))

    assert (receipt.succeeded, receipt.error) == (False, {"InstructionError": [0, {"Custom": 1}]})
    assert receipt.reason == "Error processing Instruction 0: custom program error: 0x1"
    assert cluster.balance(ANN.address) == WEALTH - FEE


def test_a_blockhash_is_good_for_150_blocks(cluster: LocalCluster) -> None:
    early, late = pay(cluster, 1), pay(cluster, 2)
    cluster.mine(WINDOW - 1)
    taken = cluster.wait(cluster.send_raw(early))

    assert taken.slot == WINDOW
    with pytest.raises(BadCall, match="Blockhash not found"):
        cluster.send_raw(late)


def test_lifetime_names_the_last_height_that_takes_a_blockhash(cluster: LocalCluster) -> None:
    lifetime = cluster.lifetime()

    cluster.mine(WINDOW - 1)
    assert cluster.good(lifetime.blockhash)
    cluster.mine()
    assert (cluster.height(), cluster.good(lifetime.blockhash)) == (lifetime.last_height, False)


def test_a_transaction_runs_once(cluster: LocalCluster) -> None:
    raw = pay(cluster)
    cluster.send_raw(raw)

    with pytest.raises(BadCall, match="already been processed"):
        cluster.send_raw(raw)
    assert cluster.balance(BEN.address) == WEALTH + SOL


def test_a_forged_signature_is_refused(cluster: LocalCluster) -> None:
    raw = bytearray(pay(cluster))
    raw[10] ^= 1

    with pytest.raises(BadCall, match="signature verification"):
        cluster.send_raw(bytes(raw))


def test_nobody_without_lamports_can_pay(cluster: LocalCluster) -> None:
    poor = SolanaKey.new()

    for preflight in (True, False):
        with pytest.raises(BadCall, match="no record of a prior credit"):
            cluster.send_raw(pay(cluster, 0, poor), preflight=preflight)
    assert cluster.height() == 0
    assert cluster.receipt(cluster.send_raw(pay(cluster))) is not None


@pytest.mark.parametrize("raw", [b"", b"\0" * 40, b"\1" + bytes(64), bytes(2000)], ids=len)
def test_bytes_that_are_no_transaction_are_refused(cluster: LocalCluster, raw: bytes) -> None:
    with pytest.raises(BadCall):
        cluster.send_raw(raw)
    with pytest.raises(BadCall):
        cluster.simulate(raw)


def test_bytes_behind_a_transaction_are_refused(cluster: LocalCluster) -> None:
    with pytest.raises(BadCall):
        cluster.send_raw(pay(cluster) + b"\0")


@pytest.mark.parametrize("program", [TOKEN, TOKEN_2022])
def test_tokens_are_made_moved_and_read(cluster: LocalCluster, program: Address) -> None:
    token = issue(cluster, ANN, 1_000, program=program)
    mine, yours = (associated(key.address, token, program) for key in (ANN, BEN))
    steps = [
        create_associated(ANN.address, BEN.address, token, program),
        transfer_tokens(mine, yours, token, ANN.address, 400, 6, program),
    ]

    cluster.send_raw(signed(cluster, steps, ANN))

    found = [cluster.accounts([at])[0] for at in (token, mine, yours)]
    made, left, given = mint(found[0]), token_account(found[1]), token_account(found[2])
    assert made
    assert left
    assert given
    assert (made.supply, made.decimals, made.authority) == (1_000, 6, ANN.address)
    assert (left.amount, given.amount, given.owner, given.state) == (600, 400, BEN.address, "initialized")
    assert len(cluster.owned(program).keys() - {WRAPPED}) == 3
    assert cluster.owned(program, MINT_SIZE).keys() - {WRAPPED} == {token}


def test_a_receipt_holds_tokens_before_and_after(cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 1_000)
    mine, yours = (associated(key.address, token) for key in (ANN, BEN))
    steps = [create_associated(ANN.address, BEN.address, token), transfer_tokens(mine, yours, token, ANN.address, 1, 6)]

    record = cluster.record(cluster.send_raw(signed(cluster, steps, ANN)))

    assert record
    amounts = {held.account.owner: held.account.amount for held in record.tokens_after}
    assert amounts == {ANN.address: 999, BEN.address: 1}
    assert [held.account.amount for held in record.tokens_before] == [1_000]
    assert {yours, mine, ANN.address} == record.changed
    assert [len(group) for group in record.result.inner] == [4, 0]


def test_a_simulation_shows_accounts_and_keeps_nothing(cluster: LocalCluster) -> None:
    message = compile_message(
        ANN.address, [transfer_lamports(ANN.address, BEN.address, SOL)], cluster.lifetime().blockhash
    )

    outcome = cluster.simulate(assemble(message), [BEN.address, CAM.address, SolanaKey.new().address])

    assert (outcome.succeeded, outcome.reason) == (True, "")
    assert [account and account.lamports for account in outcome.accounts[:2]] == [WEALTH + SOL, WEALTH]
    assert outcome.accounts[2] is None
    assert (cluster.height(), cluster.balance(BEN.address)) == (0, WEALTH)


def test_a_simulation_after_others_sees_what_they_did_and_keeps_nothing(cluster: LocalCluster) -> None:
    first, second = pay(cluster, SOL // 4), pay(cluster, WEALTH - SOL)

    tried = cluster.simulate(second, [BEN.address], after=[first, first])
    mark = cluster.snapshot()
    short = cluster.simulate(second, [BEN.address], after=[first] * 4)
    cluster.revert(mark)

    assert tried.accounts == (Account(2 * WEALTH - SOL // 2, SYSTEM),)
    assert not short.succeeded
    assert (cluster.balance(ANN.address), cluster.balance(BEN.address), cluster.height()) == (WEALTH, WEALTH, 0)


def test_a_failing_simulation_says_why(cluster: LocalCluster) -> None:
    outcome = cluster.simulate(pay(cluster, WEALTH + 1))

    assert (outcome.succeeded, outcome.accounts) == (False, ())
    assert outcome.error == {"InstructionError": [0, {"Custom": 1}]}
    assert "insufficient lamports" in outcome.logs[1]


def test_blocks_wait_for_transactions_or_for_nobody() -> None:
    cluster = local(automine=False)
    names = [cluster.send_raw(pay(cluster, lamports)) for lamports in (1, 2)]

    with pytest.raises(Unreachable):
        cluster.wait(names[0])
    cluster.mine(2, seconds=10)

    first, second = cluster.block(1), cluster.block(2)
    assert (first.transactions, second.transactions) == (tuple(names), ())
    assert (first.time, second.time) == (cluster.block(0).time + 10, cluster.block(0).time + 11)
    assert (first.parent, second.parent_slot) == (cluster.block(0).hash, 1)
    assert cluster.history(BEN.address) == (names[1], names[0])


def test_a_mark_keeps_what_waits() -> None:
    cluster = local(automine=False)
    name = cluster.send_raw(pay(cluster))
    mark = cluster.snapshot()
    cluster.mine()

    assert cluster.receipt(name) is not None
    cluster.revert(mark)
    assert cluster.receipt(name) is None
    cluster.mine()
    assert cluster.receipt(name) is not None


def test_what_can_no_longer_be_paid_when_its_block_comes_is_dropped() -> None:
    cluster = local(automine=False)
    cluster.fund(CAM.address, SOL + FEE)
    first, second = (cluster.send_raw(pay(cluster, lamports, CAM)) for lamports in (SOL, SOL // 2))

    cluster.mine()

    assert cluster.block().transactions == (first,)
    assert cluster.receipt(second) is None


def test_slots_can_be_skipped_and_epochs_passed(cluster: LocalCluster) -> None:
    cluster.warp(432_000 * 3 + 5, seconds=86_400)

    assert cluster.epoch() == (3, 5, 432_000)
    assert (cluster.height(), cluster.block().parent_slot) == (1, 0)
    with pytest.raises(NotFound, match="skipped"):
        cluster.block(7)
    with pytest.raises(NotFound, match="newest"):
        cluster.block(10**9)
    with pytest.raises(BadCall, match="slots only grow"):
        cluster.warp(5)


def test_programs_read_the_clock_of_their_block(cluster: LocalCluster) -> None:
    sysvar = Address("SysvarC1ock11111111111111111111111111111111")
    cluster.warp(500, seconds=60)

    read = cluster.accounts([sysvar])[0]

    assert read
    assert int.from_bytes(read.data[:8], "little") == 500
    assert int.from_bytes(read.data[32:40], "little") == cluster.time()


def test_going_back_undoes_blocks_accounts_and_names(cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 5)
    before = cluster.block()
    mark = cluster.snapshot()
    raw = pay(cluster)
    name = cluster.send_raw(raw)
    other = issue(cluster, BEN, 5)
    cluster.fund(CAM.address, 1)

    cluster.revert(mark)

    assert (cluster.block(), cluster.receipt(name), cluster.history(CAM.address)) == (before, None, ())
    assert cluster.accounts([other]) == (None,)
    assert cluster.accounts([token])[0] is not None
    assert [cluster.balance(key.address) for key in (BEN, CAM)] == [WEALTH, WEALTH]
    assert cluster.wait(cluster.send_raw(raw)).signature == name


def test_marks_are_reverted_newest_first(cluster: LocalCluster) -> None:
    outer, inner = cluster.snapshot(), cluster.snapshot()

    with pytest.raises(StaleSnapshot):
        cluster.revert(outer)
    cluster.revert(inner)
    cluster.revert(outer)
    with pytest.raises(StaleSnapshot):
        cluster.revert(outer)


def test_hashes_of_blocks_never_come_again(cluster: LocalCluster) -> None:
    seen = set()
    for _ in range(5):
        mark = cluster.snapshot()
        cluster.mine(3)
        seen |= {cluster.block(slot).hash for slot in (1, 2, 3)}
        cluster.revert(mark)

    assert len(seen) == 15


def test_fees_count_signatures_and_priority(cluster: LocalCluster) -> None:
    budget = Address("ComputeBudget111111111111111111111111111111")
    price = Instruction(budget, (), b"\3" + (1_000_000).to_bytes(8, "little"))
    limit = Instruction(budget, (), b"\2" + (2_000).to_bytes(4, "little"))
    steps = [price, limit, transfer_lamports(ANN.address, BEN.address, 1)]
    message = compile_message(ANN.address, steps, cluster.lifetime().blockhash)

    fee = cluster.fee(message)

    assert fee == FEE + 2_000
    assert cluster.wait(cluster.send_raw(sign(message, [ANN]))).fee == fee
    cluster.mine(WINDOW)
    with pytest.raises(BadCall, match="Blockhash not found"):
        cluster.fee(message)


def test_accounts_can_be_set_by_hand(cluster: LocalCluster) -> None:
    made = SolanaKey.new().address

    cluster.put(made, Account(7, TOKEN, b"abc"))

    assert cluster.accounts([made]) == (Account(7, TOKEN, b"abc"),)
    cluster.put(made, Account(0, SYSTEM))
    assert cluster.accounts([made]) == (None,)


def test_with_a_clock_blocks_come_at_its_time() -> None:
    now = [1_800_000_000.0]
    cluster = LocalCluster(1_700_000_000, clock=lambda: now[0])
    cluster.fund(ANN.address, WEALTH)

    cluster.send_raw(pay(cluster))
    assert cluster.time() == 1_800_000_000
    cluster.mine(seconds=3600)
    now[0] += 5
    cluster.send_raw(pay(cluster))
    assert cluster.time() == 1_800_003_605


def test_the_cluster_is_named_by_its_genesis(cluster: LocalCluster) -> None:
    assert cluster.name == clusters.EMBEDDED == clusters.named(clusters.GENESIS)
    assert len(cluster.name.reference) == clusters.REFERENCE
