"""What is read of an account, and what follows from two looks at it, one rule at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mercato.chains.solana.messages import octets
from mercato.chains.solana.model import SOL, SYSTEM, TOKEN, TOKEN_2022, Account, Address
from mercato.chains.solana.testing import keys
from mercato.chains.solana.tokens import transfer_lamports
from mercato.kit.model import Authority, Grant, Power
from mercato.kit.solana import changes
from mercato.kit.solana.changes import Scene
from mercato.kit.solana.plan import plan
from mercato.kit.solana.sight import Seen, seen
from tests.kit.solana.ground import FRIEND, ME, STRANGER

PREFIX = "solana:x"
PLACE, MINT, PROGRAM = (key.address for key in keys()[5:8])


def scene(before: Seen, after: Seen, **more: Any) -> Scene:
    return Scene(ME, PREFIX, [PLACE], [before], [after], 0, **more)


def purse(who: Address = ME, **changed: Any) -> Seen:
    return Seen(True, who, 2_000, MINT, program=TOKEN, **{"units": 100, **changed})


def guarded(value: bytes) -> Account:
    """A token account of Token-2022 whose owner lets no program act in its name (CPI guard), or does."""
    base = octets(MINT) + octets(ME) + (5).to_bytes(8, "little") + bytes(36) + b"\1" + bytes(56)
    return Account(SOL, TOKEN_2022, base + b"\2" + b"\x0b\0\1\0" + value)


def test_whoever_may_spend_from_an_account_that_becomes_ones_own_gets_an_allowance() -> None:
    found = scene(purse(STRANGER, allowed=(FRIEND, 5)), purse(allowed=(FRIEND, 5)))

    assert changes.grants(found) == [Grant(f"{PREFIX}/token:{MINT}", FRIEND, 0, 5)]
    assert changes.touched(found) == {MINT}


def test_a_right_that_somebody_else_gives_up_is_nobodys_loss_here() -> None:
    says = {"mint": (Power.MINT, ME), "freeze": (Power.FREEZE, STRANGER)}
    before = Seen(True, PLACE, 2_000, says=says, program=TOKEN)
    after = replace(before, says={"mint": (Power.MINT, ME)})

    assert changes.authorities(scene(before, after)) == []
    assert changes.authorities(scene(after, before)) == [Authority(Power.FREEZE, PLACE, STRANGER, True)]


@pytest.mark.parametrize(("before", "after"), [(b"", octets(ME)), (octets(ME), b""), (octets(ME), octets(ME) + b"\1")])
def test_what_an_unknown_program_begins_ends_or_changes_for_the_account_is_a_gap(before: bytes, after: bytes) -> None:
    looks = [seen(PLACE, Account(SOL, PROGRAM, bytes(8) + data), ()) for data in (before, after)]

    assert len(changes.gaps(scene(*looks))) == 1
    assert changes.gaps(scene(looks[0], looks[0])) == []


def test_what_an_unknown_program_changes_for_others_is_none() -> None:
    looks = [seen(PLACE, Account(SOL, PROGRAM, octets(STRANGER) + data), ()) for data in (b"\0", b"\1")]

    assert changes.gaps(scene(*looks)) == []


def test_an_extension_of_ones_own_mint_that_changes_unread_is_a_gap() -> None:
    before = Seen(True, PLACE, 2_000, says={"mint": (Power.MINT, ME)}, rest=b"\0", program=TOKEN_2022)

    assert len(changes.gaps(scene(before, replace(before, rest=b"\1")))) == 1
    assert changes.gaps(scene(before, before)) == []


def test_an_account_that_was_frozen_before_is_no_gap() -> None:
    frozen = purse(frozen=True)

    assert changes.gaps(scene(frozen, frozen)) == []
    assert changes.gaps(scene(purse(), frozen)) == [
        f"{PLACE} would be frozen: nothing could be taken out of it any more"
    ]


def test_tokens_that_nobody_seems_to_get_are_a_gap() -> None:
    _, payments, unseen = changes.money(scene(purse(), purse(units=40)))

    assert payments == []
    assert unseen == [f"60 of {PREFIX}/token:{MINT} leave for where it cannot be seen"]


def test_a_token_without_a_mint_is_a_gap() -> None:
    assert changes.gaps(scene(purse(), purse(units=40), mints={MINT: None})) == [f"the token {MINT} could not be read"]


def test_a_guard_that_is_lifted_is_a_gap() -> None:
    off, on = (seen(PLACE, guarded(value), ()) for value in (b"\0", b"\1"))

    assert (off.who, off.units, off.rest) == (ME, 5, b"")
    assert len(changes.gaps(scene(on, off))) == 1
    assert changes.gaps(scene(on, on)) == []


def test_data_in_the_wallet_itself_are_a_gap() -> None:
    before, after = (seen(ME, Account(SOL, SYSTEM, data), ()) for data in (b"", bytes(10) + b"\1"))

    assert len(changes.gaps(scene(before, after))) == 1


def test_a_plan_names_the_keys_that_sign_and_shows_none() -> None:
    key = keys()[3]
    made = plan("Pay", transfer_lamports(ME, FRIEND, 1), signers=(key,))
    body: Any = made.body()

    assert [step["signers"] for step in body["steps"]] == [[key.address]]
    assert "signers" not in repr(made)
