"""A stake is lost by what its owner signed, and by nothing else; statistics touch unsettled pay only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercato.compute import roster
from mercato.compute.books import disputes, epochs
from mercato.compute.books.disputes import Kind, Outcome
from mercato.compute.books.receipts import hashed, shown
from mercato.compute.books.replay import replay
from mercato.compute.fleet.toy import Toy
from mercato.compute.model import Provider, ProviderId, Receipt, Standing
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.slashing import slash
from mercato.compute.testing import ToyChecker
from mercato.compute.verify.auditor import Auditor
from mercato.compute.verify.known import Canary, Known
from mercato.compute.verify.record import Judge
from mercato.core.errors import Conflict, InvalidInput, NotFound
from tests.compute.books.conftest import migrated, sqlite, url
from tests.compute.books.counter import ACME, Counter
from tests.compute.books.test_epochs import serve
from tests.compute.verify import books
from tests.profiles import examples

__all__ = ["migrated", "sqlite", "url"]  # fixtures of the books: both databases
NODE = NodeKey.new()
STAKE = 500_000


@pytest.fixture
def counter(url: str) -> Iterator[Counter]:
    with Counter(url) as made:
        enrol(made)
        yield made


def enrol(counter: Counter) -> None:
    """A provider with a key and a stake."""
    with counter.till.bare.transaction():
        roster.save(counter.till.bare, Provider(ACME, "acme", Standing.ACTIVE, key=NODE.public), counter.clock.now())
    epochs.stake(counter.till, ACME, STAKE, name="first")


def signed(receipt: Receipt, key: NodeKey = NODE, **more: Any) -> dict[str, Any]:
    made = replace(receipt, **more)
    made = replace(made, hash=hashed(made))
    return shown(replace(made, countersigned=key.signer().sign(made.hash)))


def test_two_signed_receipts_cost_the_stake_the_pay_and_the_place(counter: Counter) -> None:
    receipt, another = serve(counter, 2)
    first, second = signed(receipt), signed(receipt, answered="c" * 64)
    unsigned = signed(receipt, NodeKey.new(), answered="c" * 64)
    for other in (first, signed(another), unsigned, {**second, "countersigned": ""}, {}):
        with pytest.raises(InvalidInput, match="do not contradict"):
            slash(counter.till, ACME, first, other)
    found = slash(counter.till, ACME, first, second)
    with pytest.raises(Conflict, match="taken for this before"):
        slash(counter.till, ACME, second, first)
    balances, stands = counter.till.balances(), roster.history(counter.till.bare, ACME)[-1]

    assert (found.state, found.kind, found.amount) == (Outcome.UPHELD, Kind.SIGNED, STAKE)
    assert found.evidence["documents"] == [first, second]
    assert (balances["slashed"], balances["provider:prov_acme:withheld"]) == (STAKE, 700)
    assert (stands.standing, stands.why) == (Standing.EJECTED, f"it signed two receipts for {receipt.request}")
    assert replay(counter.till.bare).faults == []


def test_who_has_no_key_or_is_not_there_is_not_slashed(counter: Counter) -> None:
    (receipt,) = serve(counter)
    pair = signed(receipt), signed(receipt, answered="c" * 64)
    with pytest.raises(NotFound):
        slash(counter.till, ProviderId("prov_none"), *pair)
    counter.till.bare.run("UPDATE compute_provider SET key = ''")
    with pytest.raises(InvalidInput):
        slash(counter.till, ACME, *pair)

    assert counter.till.balances()["provider:prov_acme:stake"] == STAKE


WRONG = Known([Canary("c", "toy", [{"role": "user", "content": f"question {at}"}], 9, ["no"]) for at in range(1)])
steps = st.lists(
    st.sampled_from(["honest", "cheat", "audit", "canary", "epoch", "week", "withhold", "uphold", "reject"]),
    min_size=4, max_size=14,
)  # fmt: skip


def act(counter: Counter, what: str, at: int) -> None:
    """Lets one thing happen that statistics, operators or time bring about."""
    till = counter.till
    audits = {"audit": Known(), "canary": WRONG}
    if what in ("honest", "cheat"):
        books.serve(counter, Toy(weights=9 if what == "cheat" else 0), 4, first=0 if at % 2 else at * 10)
    elif what in audits:
        asyncio.run(Auditor(till, ToyChecker(), Judge(), known=audits[what], asker=counter.key.id).turn(100))
    elif what == "epoch":
        epochs.close(till, timedelta(days=7))
    elif what == "week":
        counter.later(days=7)
        epochs.release(till)
    elif what == "withhold":
        disputes.withhold(till, ACME, "it seems so", {"share_bps": 9_000})
    else:
        waiting = [it for it in disputes.listed(till.bare, ACME) if it.state is Outcome.OPEN]
        for dispute in waiting[:1]:
            disputes.decide(till, dispute.id, uphold=what == "uphold", by="op", why="looked at")


@given(steps)
@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_statistics_find_the_stake_and_what_is_due_stay_where_they_are(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory, ways: list[str]
) -> None:
    """Verdicts by chance, operators' words and decisions move unsettled pay between held and withheld, or back to the
    users: never a stake, and never what was released to be paid."""
    path = tmp_path_factory.mktemp("books") / "mercato.db"
    path.write_bytes(migrated.read_bytes())
    due = [0]
    with Counter(f"sqlite:///{path}") as counter:
        enrol(counter)
        for at, what in enumerate(ways):
            act(counter, what, at)
            balances = counter.till.balances()
            due.append(balances.get("provider:prov_acme:due", 0))
            assert balances["provider:prov_acme:stake"] == STAKE
            assert balances.get("slashed", 0) == 0
            assert sum(balances.values()) == 0
        kinds = {it.kind for it in disputes.listed(counter.till.bare)}
        faults = replay(counter.till.bare).faults

    assert due == sorted(due)
    assert kinds <= {Kind.STATISTICAL}
    assert faults == []
