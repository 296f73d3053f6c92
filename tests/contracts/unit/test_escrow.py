"""The escrow: who may do what and when, and what a silent judge, a blocked account or a failed team lead to."""

from typing import Any

import pytest

from mercato.chains import Deployed, Reverted
from mercato.chains.testing import local
from tests.contracts.compiled import hostile
from tests.contracts.house import CREATOR, CURATOR, DAY, DOLLAR, JUDGE, PEOPLE, TEAM, House, Sale

HOLDER, SECOND, CHALLENGER, STRANGER = PEOPLE
EVIDENCE, REASON = b"\x07" * 32, b"\x08" * 32
WINDOW = 3 * DAY


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def sale(house: House) -> Sale:
    return live(house)


def live(house: House) -> Sale:
    sale = house.cleared()
    house.pay(CHALLENGER, 1_000_000 * DOLLAR, sale.escrow.address)
    return sale


def challenged(house: House, sale: Sale) -> Deployed:
    sale.escrow.send("submit", EVIDENCE, sender=CREATOR)
    sale.escrow.send("challenge", REASON, sender=CHALLENGER)
    return sale.escrow


def test_the_money_at_once_is_paid_once(house: House, sale: Sale) -> None:
    sale.escrow.send("take_at_once", sender=STRANGER)
    raised = sale.auction.read("result")[1]

    assert house.dollar.read("balanceOf", CREATOR) == raised * 60 // 10_000
    with pytest.raises(Reverted, match="escrow: taken already"):
        sale.escrow.send("take_at_once", sender=CREATOR)


@pytest.mark.parametrize(("function", "args"), [("take_at_once", ()), ("submit", (EVIDENCE,))])
def test_nothing_happens_before_the_launch_is_live(house: House, function: str, args: tuple[object, ...]) -> None:
    escrow = house.launch().escrow
    house.dollar.send("faucet", escrow.address, 10**9, sender=STRANGER)

    with pytest.raises(Reverted, match="escrow: not live"):
        escrow.send(function, *args, sender=CREATOR)


@pytest.mark.parametrize(
    ("function", "args", "reason"),
    [
        ("submit", (EVIDENCE,), "not the creator"),
        ("challenge", (REASON,), "nothing to challenge"),
        ("rule", (True,), "not the judge"),
        ("lapse", (), "nothing has lapsed"),
        ("pay", (), "nothing to pay"),
        ("expire", (), "not expired"),
        ("redeem", (1,), "no redemption"),
        ("begin", (STRANGER, STRANGER, STRANGER, 10_000, [10_000]), "begun already"),
    ],
)
def test_an_idle_escrow_gives_nothing_to_anybody(
    sale: Sale, function: str, args: tuple[object, ...], reason: str
) -> None:
    with pytest.raises(Reverted, match=f"escrow: {reason}"):
        sale.escrow.send(function, *args, sender=STRANGER)


def test_a_claim_names_its_evidence(sale: Sale) -> None:
    with pytest.raises(Reverted, match="escrow: no evidence"):
        sale.escrow.send("submit", bytes(32), sender=CREATOR)


def test_a_milestone_waits_for_its_window(house: House, sale: Sale) -> None:
    sale.escrow.send("submit", EVIDENCE, sender=CREATOR)
    due = sale.escrow.read("due")
    house.chain.mine(seconds=WINDOW - 2)
    with pytest.raises(Reverted, match="escrow: nothing to pay"):
        sale.escrow.send("pay", sender=CREATOR)
    house.chain.mine(seconds=1)
    with pytest.raises(Reverted, match="escrow: nothing to challenge"):
        sale.escrow.send("challenge", REASON, sender=CHALLENGER)
    sale.escrow.send("pay", sender=STRANGER)

    assert house.dollar.read("balanceOf", CREATOR) == due
    assert sale.escrow.read("milestone") == 1


def test_all_milestones_pay_everything(house: House, sale: Sale) -> None:
    whole = sale.escrow.read("left")
    for _ in range(3):
        sale.escrow.send("submit", EVIDENCE, sender=CREATOR)
        house.chain.mine(seconds=WINDOW)
        sale.escrow.send("pay", sender=STRANGER)
    sale.escrow.send("take_at_once", sender=STRANGER)

    assert house.dollar.read("balanceOf", CREATOR) == whole
    assert house.dollar.read("balanceOf", sale.escrow.address) == 0
    with pytest.raises(Reverted, match="escrow: nothing to submit for"):
        sale.escrow.send("submit", EVIDENCE, sender=CREATOR)


@pytest.mark.parametrize("first", [True, False], ids=["at once first", "at once last"])
def test_each_milestone_pays_its_share_of_what_is_not_paid_at_once(house: House, sale: Sale, first: bool) -> None:
    whole = sale.escrow.read("left")
    at_once = sale.auction.read("result")[1] * 60 // 10_000
    paid = []
    for _ in range(first):
        sale.escrow.send("take_at_once", sender=STRANGER)
    for _ in range(3):
        sale.escrow.send("submit", EVIDENCE, sender=CREATOR)
        house.chain.mine(seconds=WINDOW)
        paid.append(sale.escrow.read("due"))
        sale.escrow.send("pay", sender=STRANGER)

    rest = whole - at_once
    assert paid[:2] == [rest * 4_000 // 10_000, rest * 3_000 // 10_000]
    assert sum(paid) == rest
    assert sale.escrow.read("left") == (0 if first else at_once)


def test_a_silent_judge_pays_nobody_and_keeps_nobodys_bond(house: House, sale: Sale) -> None:
    escrow = challenged(house, sale)
    house.chain.mine(seconds=29 * DAY)
    with pytest.raises(Reverted, match="escrow: nothing has lapsed"):
        escrow.send("lapse", sender=STRANGER)
    with pytest.raises(Reverted, match="escrow: nothing to pay"):
        escrow.send("pay", sender=CREATOR)
    house.chain.mine(seconds=DAY)
    escrow.send("lapse", sender=STRANGER)
    escrow.send("withdraw", CHALLENGER, sender=STRANGER)

    assert house.dollar.read("balanceOf", CHALLENGER) == 1_000_000 * DOLLAR
    assert (escrow.read("failures"), house.dollar.read("balanceOf", CREATOR)) == (0, 0)
    escrow.send("submit", EVIDENCE, sender=CREATOR)


def test_only_the_judge_rules(house: House, sale: Sale) -> None:
    escrow = challenged(house, sale)

    for person in (CREATOR, CURATOR, CHALLENGER):
        with pytest.raises(Reverted, match="escrow: not the judge"):
            escrow.send("rule", True, sender=person)
    escrow.send("rule", False, sender=JUDGE)
    with pytest.raises(Reverted, match="escrow: nothing to rule on"):
        escrow.send("rule", True, sender=JUDGE)


def test_two_failures_open_redemption_at_book_value(house: House, sale: Sale) -> None:
    for person, level in ((HOLDER, 10), (SECOND, 20)):
        sale.auction.send("claim", person, level, sender=person)
    for _ in range(2):
        challenged(house, sale).send("rule", True, sender=JUDGE)
    tokens, supply = sale.token.read("balanceOf", SECOND), sale.token.read("totalSupply")
    left, before = sale.escrow.read("left"), house.dollar.read("balanceOf", SECOND)
    sale.token.send("approve", sale.escrow.address, tokens, sender=SECOND)
    sale.escrow.send("redeem", tokens, sender=SECOND)

    assert house.dollar.read("balanceOf", SECOND) - before == left * tokens // supply
    assert sale.token.read("totalSupply") == supply - tokens
    for function, args in (("submit", (EVIDENCE,)), ("take_at_once", ()), ("expire", ())):
        with pytest.raises(Reverted, match="escrow: "):
            sale.escrow.send(function, *args, sender=CREATOR)


def test_what_nobody_claims_for_three_years_is_the_holders(house: House, sale: Sale) -> None:
    house.chain.mine(seconds=3 * 365 * DAY)
    sale.escrow.send("expire", sender=STRANGER)
    sale.vestings[1].send("release", sender=STRANGER)

    assert sale.escrow.read("stage") == 16
    with pytest.raises(Reverted):
        sale.escrow.send("redeem", 1, sender=STRANGER)


def test_a_blocked_challenger_stands_in_nobodys_way() -> None:
    chain = local()
    house = House(chain, quote=hostile(chain, "moody_dollar"))
    sale = live(house)
    escrow = challenged(house, sale)
    house.dollar.send("block_account", CHALLENGER, True, sender=CURATOR)
    escrow.send("rule", True, sender=JUDGE)
    escrow.send("submit", EVIDENCE, sender=CREATOR)
    chain.mine(seconds=WINDOW)
    escrow.send("pay", sender=STRANGER)

    assert house.dollar.read("balanceOf", CREATOR) > 0
    with pytest.raises(Reverted, match="dollar: blocked"):
        escrow.send("withdraw", CHALLENGER, sender=CHALLENGER)
    assert escrow.read("bonds", CHALLENGER) == house.dollar.read("balanceOf", escrow.address) - escrow.read("left")


@pytest.mark.parametrize("function", ["take_at_once", "pay"])
def test_a_dollar_that_calls_back_is_paid_out_once(function: str) -> None:
    chain = local()
    house = House(chain, quote=hostile(chain, "moody_dollar"))
    sale = live(house)
    sale.escrow.send("submit", EVIDENCE, sender=CREATOR)
    chain.mine(seconds=WINDOW)
    left = sale.escrow.read("left")
    house.dollar.send("call_back", sale.escrow.address, sale.escrow.interface.encode(function), sender=CURATOR)
    sale.escrow.send(function, sender=STRANGER)

    assert not house.dollar.read("called_back")
    assert house.dollar.read("balanceOf", CREATOR) == left - sale.escrow.read("left") == sale.escrow.read("paid")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"milestones": [5_000, 4_999]}, "milestones are not the whole"),
        ({"milestones": [10_000, 0]}, "empty milestone"),
        ({"milestones": []}, "milestones are not the whole"),
    ],
)
def test_milestones_are_the_whole(house: House, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Reverted, match=f"escrow: {reason}"):
        house.launch(**changes)


def test_the_shared_code_is_no_escrow(house: House) -> None:
    with pytest.raises(Reverted, match="escrow: begun already"):
        house.escrow_code.send("begin", STRANGER, STRANGER, TEAM, 0, [10_000], sender=STRANGER)
    with pytest.raises(Reverted):
        house.escrow_code.send("take_at_once", sender=STRANGER)
