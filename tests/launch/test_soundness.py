"""What the checks let pass, the contracts take: no approved launch is refused by the factory, to the last unit."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import assume, event, given
from hypothesis import strategies as st

from mercato.chains.testing import local
from mercato.launch.application import HOUR, Allocation, Application, Milestone, Terms
from mercato.launch.checks import LIQUIDITY_BPS, Facts, check, passed
from mercato.launch.clearing import BPS, ceiling
from mercato.launch.contracts import at
from mercato.launch.curator import Curator, allocations
from mercato.launch.deployment import deploy_all
from mercato.launch.model import LAUNCHES, Launch
from mercato.launch.states import State
from mercato.launch.testing import application

FACTS = Facts(frozenset(), frozenset())
NOW = datetime(2026, 3, 2, tzinfo=UTC)
CHAIN = local()
CURATOR = Curator(CHAIN, deploy_all(CHAIN, "0x" + "0e" * 20))  # type: ignore[arg-type] # a plain text stands for an address


@st.composite
def shares(draw: Any) -> Allocation:
    sale = draw(st.integers(2000, 6000))
    liquidity = ceiling(sale * LIQUIDITY_BPS, BPS)
    left = BPS - sale - liquidity
    assume(left > 0)
    team = draw(st.integers(0, min(left, 2000)))
    partner = draw(st.integers(0, left - team))
    grants = draw(st.integers(0, left - team - partner))
    return Allocation(sale, liquidity, team, partner, grants, left - team - partner - grants)


@st.composite
def terms(draw: Any, allocation: Allocation) -> Terms:
    supply = draw(st.integers(10**24, 10**30))
    floor = draw(st.integers(1, 10**18))
    sale = floor * allocation.sale // BPS
    assume(sale > 0)
    return Terms(
        floor=floor,
        raise_min=draw(st.integers(1, sale)),
        supply=supply,
        step_bps=draw(st.integers(1, 1000)),
        retail_bps=draw(st.integers(0, 2500)),
        bid_min=draw(st.integers(1, 10**12)),
        open_seconds=draw(st.integers(HOUR, 14 * 24 * HOUR)),
        lock_seconds=draw(st.integers(HOUR, 48 * HOUR)),
    )


@st.composite
def milestones(draw: Any) -> tuple[Milestone, ...]:
    cuts = sorted(draw(st.sets(st.integers(1, BPS - 1), min_size=1, max_size=7)))
    edges = [0, *cuts, BPS]
    return tuple(Milestone("done", b - a) for a, b in pairwise(edges))


@st.composite
def applications(draw: Any) -> Application:
    allocation = draw(shares())
    letters = st.characters(min_codepoint=33, max_codepoint=0x2FFF, categories=["L", "N"])
    return application(
        name=draw(st.text(letters, min_size=1, max_size=64)),
        symbol=draw(st.from_regex(r"[A-Z][A-Z0-9]{1,9}", fullmatch=True)),
        allocation=allocation,
        terms=draw(terms(allocation)),
        milestones=draw(milestones()),
    )


def approved(wanted: Application) -> Launch:
    return Launch(id=LAUNCHES.new(), state=State.APPROVED, application=wanted, created_at=NOW, changed_at=NOW)


@given(wanted=applications())
def test_whatever_passes_the_checks_is_taken_by_the_factory(wanted: Application) -> None:
    results = check(wanted, FACTS)
    event(f"passed: {passed(results)}")
    assume(passed(results))
    mark = CHAIN.snapshot()
    made = CURATOR.create(approved(wanted), CHAIN.time() + HOUR)
    token = at(CHAIN, "agent_token", made.token)
    auction = at(CHAIN, "auction", made.auction)
    sound = all(good for _, good in CURATOR.verify(Launch(
        id=LAUNCHES.new(), state=State.SCHEDULED, application=wanted, created_at=NOW, changed_at=NOW, contracts=made,
    )))  # fmt: skip
    supply, held, due = token.read("totalSupply"), token.read("balanceOf", made.auction), auction.read("allotment")
    CHAIN.revert(mark)

    assert sound
    assert supply == wanted.terms.supply
    assert held == due


@given(wanted=applications())
def test_what_is_not_sold_is_shared_out_whole_and_nobody_gets_less_than_their_share(wanted: Application) -> None:
    total = wanted.terms.supply
    sale = wanted.terms.tokens(wanted.allocation.sale)
    rest = total - sale - sale * LIQUIDITY_BPS // BPS
    found = allocations(wanted, rest)
    named = {name: share for name, share in wanted.allocation.shares().items() if name not in ("sale", "liquidity")}

    assert sum(int(str(item["amount"])) for item in found) == rest
    assert len(found) == sum(share > 0 for share in named.values())
    for item, share in zip(found, [share for share in named.values() if share], strict=True):
        assert int(str(item["amount"])) >= wanted.terms.tokens(share)
