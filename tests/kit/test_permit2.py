"""Approvals through Permit2, by its own code at its own address: seen wherever they hide, and with their end."""

from __future__ import annotations

from typing import Any

import pytest

from mercato.chains import Deployed, typed
from mercato.chains.errors import Reverted
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit.errors import Denied
from mercato.kit.evm.actions.money import PERMIT2
from mercato.kit.model import Grant
from mercato.kit.service import Kit
from mercato.store import Store
from tests.kit.ground import ANYTHING, FRIEND, ME, STRANGER, WALLET, Town, done, town
from tests.kit.permit2 import opened

pytestmark = pytest.mark.npm
FOREVER = 2**48 - 1


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


@pytest.fixture
def permit2(town: Town) -> Deployed:
    return opened(town.chain)


def careless(town: Town, store: Store, clock: HandClock) -> Kit:
    return town.kit(store, clock, town.policy(ANYTHING))


def trusting(town: Town, store: Store, clock: HandClock) -> Kit:
    """A kit whose policy lets Permit2 have allowances, and a friend through it."""
    spenders = {"spenders": [PERMIT2, FRIEND], "grants": {"USD": "any"}}
    return town.kit(store, clock, town.policy({**ANYTHING, **spenders}))


def call(to: Deployed, function: str, *arguments: object) -> dict[str, Json]:
    return {"to": to.address, "data": "0x" + to.interface.encode(function, *arguments).hex()}


def permitting(spender: str, token: str, units: int, ends: int, until: int) -> tuple[Any, bytes]:
    """Returns a permit of the wallet's as Permit2 takes it, and its signature."""
    details = [("token", "address"), ("amount", "uint160"), ("expiration", "uint48"), ("nonce", "uint48")]
    whole = [("details", "PermitDetails"), ("spender", "address"), ("sigDeadline", "uint256")]
    told = {"token": token, "amount": units, "expiration": ends, "nonce": 0}
    data = {
        "types": {
            name: [{"name": member, "type": kind} for member, kind in members]
            for name, members in (("PermitSingle", whole), ("PermitDetails", details))
        },
        "primaryType": "PermitSingle",
        "domain": {"name": "Permit2", "chainId": 31337, "verifyingContract": PERMIT2},
        "message": {"details": told, "spender": spender, "sigDeadline": until},
    }
    return ((token, units, ends, 0), spender, until), WALLET.digest(typed.digest(data))


def test_an_approval_in_the_middle_of_a_batch_is_found(
    sqlite: Store, clock: HandClock, town: Town, permit2: Deployed
) -> None:
    pay = call(town.dollar, "transfer", FRIEND, 1)
    smuggled = call(permit2, "approve", town.dollar.address, STRANGER, 5, FOREVER)

    with pytest.raises(Denied, match=f"it allows 5 of {town.usd}"):
        done(careless(town, sqlite, clock), "batch", {"calls": [pay, smuggled, pay]})
    assert permit2.read("allowance", ME, town.dollar.address, STRANGER) == (0, 0, 0)


def test_a_permit_that_was_signed_elsewhere_and_is_brought_in_a_batch_is_found(
    sqlite: Store, clock: HandClock, town: Town, permit2: Deployed
) -> None:
    words, signature = permitting(STRANGER, town.dollar.address, 2**160 - 1, FOREVER, town.chain.time() + 60)
    smuggled = call(permit2, "permit", ME, words, signature)

    with pytest.raises(Denied, match=f"it allows {2**160 - 1} of {town.usd}"):
        done(careless(town, sqlite, clock), "batch", {"calls": [smuggled]})


def test_a_permit_as_typed_data_is_refused(sqlite: Store, clock: HandClock, town: Town, permit2: Deployed) -> None:
    types: Json = {"PermitTransferFrom": [{"name": "spender", "type": "address"}, {"name": "nonce", "type": "uint256"}]}
    domain: Json = {"name": "Permit2", "chainId": 31337, "verifyingContract": permit2.address}
    data: dict[str, Json] = {
        "types": types, "primaryType": "PermitTransferFrom", "domain": domain,
        "message": {"spender": STRANGER, "nonce": 0},
    }  # fmt: skip

    with pytest.raises(Denied, match="nobody here knows what this typed data lets others do"):
        done(careless(town, sqlite, clock), "sign-typed-data", {"data": data})


def test_an_allowance_holds_until_its_end(sqlite: Store, clock: HandClock, town: Town, permit2: Deployed) -> None:
    kit, end = trusting(town, sqlite, clock), town.chain.time() + 600
    token = town.dollar.address
    done(kit, "approve", {"token": token, "spender": PERMIT2, "amount": "100"})

    given = done(kit, "approve-until", {"token": token, "spender": FRIEND, "amount": "10", "expires": end})

    assert given.effects.grants == (Grant(town.usd, FRIEND, 0, 10, end),)
    permit2.send("transferFrom", ME, FRIEND, 4, token, sender=FRIEND)
    assert (town.dollar.read("balanceOf", FRIEND), permit2.read("allowance", ME, token, FRIEND)) == (4, (6, end, 0))
    town.chain.mine(seconds=600)
    with pytest.raises(Reverted):
        permit2.send("transferFrom", ME, FRIEND, 4, token, sender=FRIEND)


@pytest.mark.parametrize("amount", [3, 10])
def test_an_allowance_that_is_over_cannot_be_brought_to_life_again_unseen(
    sqlite: Store, clock: HandClock, town: Town, permit2: Deployed, amount: int
) -> None:
    end = town.chain.time() + 60
    permit2.send("approve", town.dollar.address, STRANGER, 10, end, sender=ME)
    town.chain.mine(seconds=600)
    later = call(permit2, "approve", town.dollar.address, STRANGER, amount, FOREVER)

    with pytest.raises(Denied, match=f"it allows {amount} of {town.usd}"):
        done(careless(town, sqlite, clock), "batch", {"calls": [later]})


def test_an_end_that_is_put_off_for_a_while_is_found(
    sqlite: Store, clock: HandClock, town: Town, permit2: Deployed
) -> None:
    soon = town.chain.time() + 60
    permit2.send("approve", town.dollar.address, STRANGER, 10, soon, sender=ME)
    calls: list[Json] = [
        call(permit2, "approve", town.dollar.address, STRANGER, 10, FOREVER),
        call(permit2, "approve", town.dollar.address, STRANGER, 10, soon),
    ]  # fmt: skip

    with pytest.raises(Denied, match=f"it allows 10 of {town.usd}"):
        done(careless(town, sqlite, clock), "batch", {"calls": calls})


def test_an_allowance_may_shrink_and_end_earlier(
    sqlite: Store, clock: HandClock, town: Town, permit2: Deployed
) -> None:
    end = town.chain.time() + 6_000
    permit2.send("approve", town.dollar.address, STRANGER, 10, end, sender=ME)
    sooner = call(permit2, "approve", town.dollar.address, STRANGER, 9, end - 1)

    assert done(careless(town, sqlite, clock), "batch", {"calls": [sooner]}).effects.grants == (
        Grant(town.usd, STRANGER, 10, 9, end - 1),
    )
