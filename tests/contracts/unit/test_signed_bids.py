"""Bids that are signed instead of sent, and who the identity gate lets in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.chains import Address, Deployed, Reverted, keccak
from mercato.chains.evm.local import LocalChain
from mercato.chains.signing import Key
from mercato.chains.testing import KEYS
from mercato.core.errors import InvalidInput, NotFound
from mercato.launch.clearing import RETAIL
from mercato.launch.credentials import NOBODY, AllowList, attestation, attested
from mercato.launch.stage import Stage, made, stage
from tests.contracts.auctions import DOLLAR, ORDINARY, who
from tests.contracts.unit.test_tokens import MOVE, PERMIT, RECEIVE, ZERO, signed
from tests.profiles import examples

ANN, ATTESTER = Key(KEYS[0]), Key(KEYS[5])
BEN, RELAY, AUCTION = who(2), who(3), who(4)
SALT = b"\x05" * 32


@pytest.fixture
def on() -> Stage:
    """An open auction; Ann has money and has allowed nothing."""
    on = stage(LocalChain(), ORDINARY)
    on.quote.send("faucet", ANN.address, 1_000 * DOLLAR, sender=RELAY)
    on.open()
    return on


def test_a_permit_and_a_bid_go_in_one_transaction(on: Stage) -> None:
    values = (ANN.address, on.auction.address, 40 * DOLLAR, 0, 2**40)
    v, r, s = signed(on.quote, ANN, PERMIT, *values)
    on.auction.send("bid_with_permit", 9, 40 * DOLLAR, 2**40, v, r, s, sender=ANN.address)

    assert on.auction.read("bids", ANN.address, 9) == 40 * DOLLAR


def test_a_permit_that_someone_else_brought_first_still_lets_the_bid_through(on: Stage) -> None:
    values = (ANN.address, on.auction.address, 40 * DOLLAR, 0, 2**40)
    v, r, s = signed(on.quote, ANN, PERMIT, *values)
    on.quote.send("permit", *values[:3], 2**40, v, r, s, sender=RELAY)
    on.auction.send("bid_with_permit", 9, 40 * DOLLAR, 2**40, v, r, s, sender=ANN.address)

    assert on.auction.read("bids", ANN.address, 9) == 40 * DOLLAR
    with pytest.raises(Reverted, match="erc20: allowance too small"):
        on.auction.send("bid_with_permit", 9, 40 * DOLLAR, 2**40, v, r, s, sender=ANN.address)


def authorized(on: Stage, level: int) -> tuple[Any, ...]:
    """Returns the arguments of a bid of 40 dollars at a level that Ann signed."""
    nonce = on.auction.read("authorization_nonce", ANN.address, level, SALT)
    v, r, s = signed(on.quote, ANN, RECEIVE + MOVE, ANN.address, on.auction.address, 40 * DOLLAR, 0, 2**40, nonce)
    return ANN.address, level, 40 * DOLLAR, 0, 2**40, SALT, v, r, s


def test_anyone_brings_a_bid_that_was_signed_as_a_transfer_once(on: Stage) -> None:
    arguments = authorized(on, 9)
    on.auction.send("bid_with_authorization", *arguments, sender=RELAY)

    assert on.auction.read("bids", ANN.address, 9) == on.auction.read("total") == 40 * DOLLAR
    with pytest.raises(Reverted, match="authorization: used or cancelled"):
        on.auction.send("bid_with_authorization", *arguments, sender=RELAY)


def test_whoever_brings_a_signed_bid_changes_neither_level_nor_amount(on: Stage) -> None:
    bidder, _, amount, *rest = authorized(on, 9)

    for level, much in ((10, amount), (9, amount - 1)):
        with pytest.raises(Reverted, match="authorization: not signed by the owner"):
            on.auction.send("bid_with_authorization", bidder, level, much, *rest, sender=RELAY)


def test_a_signed_bid_is_worth_nothing_in_another_auction(on: Stage) -> None:
    other = stage(on.chain, ORDINARY, quote=on.quote)
    other.open()

    with pytest.raises(Reverted, match="authorization: not signed by the owner"):
        other.auction.send("bid_with_authorization", *authorized(on, 9), sender=RELAY)


# The identity gate


def gate(root: bytes = NOBODY, attester: Address = ATTESTER.address, cap: int = 500) -> Deployed:
    return made(LocalChain(), "identity_gate", root, attester, cap)


def credential(at: Deployed, **changes: Any) -> bytes:
    """Returns what the attester signs for Ben in the auction, but for changes."""
    facts: dict[str, Any] = {
        "auction": AUCTION,
        "bidder": BEN,
        "identity": b"\x09" * 32,
        "deadline": at.chain.time() + 100,
    } | changes
    signer = facts.pop("signer", ATTESTER)
    digest = attestation(at.chain, at.address, **facts)
    return attested(facts["identity"], facts["deadline"], signer.digest(digest))


def test_an_attested_identity_stands_for_one_bidder_in_one_auction() -> None:
    at = gate()
    (event,) = at.events(at.send("admit", BEN, credential(at), sender=AUCTION))

    assert event.values == {"auction": AUCTION, "bidder": BEN, "identity": b"\x09" * 32}
    assert at.read("admit", BEN, credential(at), sender=AUCTION) == 500
    assert at.read("holder", AUCTION, b"\x09" * 32) == BEN
    with pytest.raises(Reverted, match="gate: bidder not admitted"):
        at.send("admit", ANN.address, credential(at, bidder=ANN.address), sender=AUCTION)
    assert at.read("allowed", RELAY, ANN.address, credential(at, auction=RELAY, bidder=ANN.address))


@pytest.mark.parametrize(
    "change",
    [{"auction": RELAY}, {"bidder": RELAY}, {"signer": ANN}, {"deadline": 1}, {"identity": bytes(32)}],
    ids=lambda change: next(iter(change)),
)
def test_a_credential_for_something_else_admits_nobody(change: dict[str, Any]) -> None:
    at = gate()

    assert at.read("allowed", AUCTION, BEN, credential(at))
    assert not at.read("allowed", AUCTION, BEN, credential(at, **change))


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x01", b"\x02" + bytes(129), b"\x01" + bytes(129), b"\x00" * 32])
def test_bytes_that_are_no_credential_admit_nobody(content: bytes) -> None:
    assert not gate(AllowList.of([BEN]).root).read("allowed", AUCTION, ANN.address, content)


@given(count=st.integers(1, 40), outsider=st.integers(1_000, 2_000))
@settings(max_examples=examples(15))
def test_exactly_those_on_the_list_are_admitted(count: int, outsider: int) -> None:
    people = [who(number) for number in range(count)]
    listed = AllowList.of(people)
    at = gate(listed.root, ZERO)

    assert all(at.read("allowed", AUCTION, person, listed.credential(person)) for person in people)
    assert not any(at.read("allowed", AUCTION, who(outsider), listed.credential(person)) for person in people)
    with pytest.raises(NotFound, match="who is not on the allow-list"):
        listed.credential(who(outsider))


def test_a_list_is_the_standard_tree_of_double_hashed_leaves() -> None:
    left, right = sorted(keccak(keccak(int(person, 16).to_bytes(32, "big"))) for person in (BEN, RELAY))

    assert AllowList.of([RELAY, BEN]).root == keccak(left + right)
    assert AllowList.of([RELAY, BEN]).credential(BEN)[:1] == b"\x00"
    with pytest.raises(InvalidInput, match="allow-list was empty"):
        AllowList.of([])


@pytest.mark.parametrize(("cap", "reason"), [(0, "gate: cap was zero"), (1, "gate: neither list nor attester")])
def test_a_gate_that_could_admit_nobody_is_refused(cap: int, reason: str) -> None:
    with pytest.raises(Reverted, match=reason):
        gate(NOBODY, (ATTESTER.address, ZERO)[cap], cap)


def test_a_sybil_of_retail_needs_another_identity_for_every_account() -> None:
    chain = LocalChain()
    on = stage(chain, ORDINARY, retail=[BEN], retail_cap_each=100 * DOLLAR)
    listed = AllowList.of([BEN])
    for person in (BEN, RELAY):
        on.fund(person, 1_000 * DOLLAR)
    on.open()
    on.auction.send("bid_retail", 100 * DOLLAR, listed.credential(BEN), sender=BEN)

    for person, reason in ((BEN, "auction: above the cap of one identity"), (RELAY, "gate: bidder not admitted")):
        with pytest.raises(Reverted, match=reason):
            on.auction.send("bid_retail", 5 * DOLLAR, listed.credential(BEN), sender=person)
    assert on.auction.read("bids", BEN, RETAIL) == on.auction.read("retail_demand") == 100 * DOLLAR
