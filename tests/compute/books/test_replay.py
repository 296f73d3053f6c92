"""What is changed, cut or forged in the log or in the tables is named."""

from __future__ import annotations

import asyncio

import pytest

from mercato.compute.books import epochs
from mercato.compute.books.receipts import Signer
from mercato.compute.books.replay import replay
from tests.compute.books.counter import SIGNER, Counter

DAMAGE = {
    "a charge in the log": (
        """UPDATE compute_entry SET body = replace(body, '"charged":350', '"charged":34') WHERE kind = 'settled'""",
        "was changed",
    ),
    "a hash in the log": (
        f"UPDATE compute_entry SET hash = '{'ab' * 32}' WHERE kind = 'held' AND seq = 1",
        "was changed",
    ),
    "an entry taken out": ("DELETE FROM compute_entry WHERE kind = 'held' AND seq = 1", "are missing"),
    "entries cut from the end": (
        "DELETE FROM compute_entry WHERE lane LIKE 'lane-%' AND seq > 2",
        "end of lane",
    ),
    "an entry that is no JSON": ("UPDATE compute_entry SET body = '{' WHERE kind = 'epoch'", "cannot be read"),
    "a balance": ("UPDATE compute_balance SET micro = micro + 1 WHERE account = 'user:ann'", "balance of user:ann"),
    "a request": ("UPDATE compute_request SET bound = bound + 1 WHERE state = 'done'", "request req_"),
    "a receipt's row": ("UPDATE compute_receipt SET earned = earned + 1", "receipt req_"),
    "a receipt taken out": ("DELETE FROM compute_receipt WHERE seq = 2", "receipt req_"),
    "a signature": (f"UPDATE compute_receipt SET signature = '{'ab' * 64}' WHERE seq = 2", "signature of the receipt"),
    "a provider's signature": (
        f"UPDATE compute_receipt SET countersigned = '{'ab' * 64}' WHERE seq = 2",
        "provider's signature of the receipt",
    ),
    "what a provider is owed": ("UPDATE compute_settlement SET earned = earned + 1", "settlement (1, 'prov_acme')"),
    "what a key spent": ("UPDATE compute_key SET spent = 0", "key key_"),
    "an epoch's root": (f"UPDATE compute_epoch SET root = '{'ab' * 32}'", "epoch 1"),
    "a receipt moved to another epoch": ("UPDATE compute_receipt SET epoch = 2 WHERE seq = 2", "receipts of epoch"),
    "the name of a payment": ("DELETE FROM compute_move", "move deposit:first"),
    "a count of open requests": ("UPDATE compute_lane SET open = open + 1 WHERE seq > 3", "number of open requests"),
    "the end of a lane": ("UPDATE compute_lane SET seq = seq - 1 WHERE seq > 3", "end of lane"),
}  # fmt: skip


@pytest.fixture
def used(counter: Counter) -> Counter:
    """Books with two receipts in an epoch, a release, and a request that is open."""

    async def go() -> None:
        async with counter.desk() as desk:
            for _ in range(2):
                hold = counter.hold()
                await desk.reserve(hold)
                await desk.settle(hold.request, served=counter.served())
            hold = counter.hold()
            await desk.reserve(hold)
            await desk.release(hold.request, "no provider")
            await desk.reserve(counter.hold())

    asyncio.run(go())
    epochs.close(counter.till)
    assert replay(counter.till.bare, SIGNER.public).faults == []
    return counter


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_named(used: Counter, what: str) -> None:
    sql, told = DAMAGE[what]
    before = used.till.bare.run("SELECT COUNT(*) FROM compute_entry")
    with used.till.bare.transaction():
        used.till.bare.run(sql)
    assert before
    assert any(told in fault for fault in replay(used.till.bare, SIGNER.public).faults), sql


def test_a_head_that_was_kept_elsewhere_is_missed_where_all_was_rewritten(used: Counter) -> None:
    (epoch,) = epochs.epochs(used.till.bare)
    head = next(iter(replay(used.till.bare).heads.values()))[1]
    for known in (epoch.root, head):
        assert replay(used.till.bare, expect=known).faults == []
    (fault,) = replay(used.till.bare, expect="ab" * 32).faults
    assert "rewritten or cut" in fault


def test_receipts_of_another_gateways_key_are_named(used: Counter) -> None:
    assert len(replay(used.till.bare, Signer.fresh().public).faults) == 2
