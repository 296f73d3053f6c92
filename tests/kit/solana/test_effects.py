"""What a dry run says that instructions would do: money, allowances, authorities, what is made, and what is unclear."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mercato.chains.errors import BadAnswer
from mercato.chains.solana import stake, tokens
from mercato.chains.solana.budget import priority_fee
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.lookup import LOOKUP, create_table, extend_table
from mercato.chains.solana.messages import octets
from mercato.chains.solana.model import MEMO, SOL, SYSTEM, TOKEN, TOKEN_2022, Account, Address, Instruction, Meta
from mercato.chains.solana.testing import Interrupted, issue, keys
from mercato.chains.solana.token_2022 import give_delegate
from mercato.chains.solana.tokens import ACCOUNT_SIZE, MINT_SIZE, Right, associated, transfer_lamports
from mercato.chains.solana.words import memo
from mercato.kit.errors import WouldFail
from mercato.kit.model import Authority, Effects, Grant, Move, Payment, Power, Trade
from mercato.kit.solana.changes import Scene, gaps, money
from mercato.kit.solana.plan import SolanaPlan, Transaction, plan
from mercato.kit.solana.rehearsal import rehearse
from mercato.kit.solana.sight import LOADER, Seen, seen
from tests.kit.solana.ground import (
    DIME,
    FRIEND,
    FRIEND_KEY,
    ME,
    NATIVE,
    STRANGER,
    WALLET,
    Town,
    at,
    extended,
    failing,
    token,
    town,
)
from tests.kit.solana.programs import EXIT, SUCCEED, deployed

SEED = "act_01k0a4m8v6f3xr1d9h5w2c7yqz"


@pytest.fixture(name="town", scope="module")
def town_() -> Town:
    return town()


@pytest.fixture(autouse=True)
def apart(town: Town) -> Iterator[None]:
    """Each test leaves the town as it was."""
    mark = town.cluster.snapshot()
    yield
    town.cluster.revert(mark)


def tried(town: Town, *instructions: Instruction, price: int = 0) -> Effects:
    return rehearse(town.cluster, ME, plan("Try", *instructions), price).effects


def send(town: Town, amount: int = DIME, to: Address = FRIEND) -> Instruction:
    return tokens.transfer_tokens(purse(town), associated(to, town.dollar), town.dollar, ME, amount, 6)


def purse(town: Town) -> Address:
    return associated(ME, town.dollar)


def test_sol_that_is_sent_leaves_for_whom_it_is_sent_to(town: Town) -> None:
    found = tried(town, transfer_lamports(ME, FRIEND, SOL), price=1_000_000)
    (units,) = rehearse(town.cluster, ME, plan("Try", transfer_lamports(ME, FRIEND, SOL)), 0).units

    assert found.moves == (Move(NATIVE, -SOL),)
    assert found.payments == (Payment(NATIVE, FRIEND, SOL),)
    assert found.fee == 5_000 + priority_fee(units, 1_000_000)
    assert (units, found.fee_asset) == (3 * 150 * 120 // 100 + 3_000, NATIVE)
    assert (found.grants, found.authorities, found.creations, found.contracts, found.gaps) == ((), (), (), (), ())


def test_a_wallet_that_gets_its_first_sol_is_no_creation(town: Town) -> None:
    new = SolanaKey.new().address

    assert tried(town, transfer_lamports(ME, new, SOL)).creations == ()


def test_a_token_that_is_sent_pays_the_wallet_behind_the_account(town: Town) -> None:
    found = tried(town, send(town))

    assert found.moves == (Move(town.usd, -DIME),)
    assert found.payments == (Payment(town.usd, FRIEND, DIME),)
    assert found.gaps == ()


def test_an_account_that_one_pays_for_is_made_and_its_rent_goes_to_its_owner(town: Town) -> None:
    rent = town.cluster.rent(ACCOUNT_SIZE)
    found = tried(town, tokens.create_associated(ME, STRANGER, town.dollar), send(town, to=STRANGER))

    assert found.moves == (Move(NATIVE, -rent), Move(town.usd, -DIME))
    assert found.payments == (Payment(NATIVE, STRANGER, rent), Payment(town.usd, STRANGER, DIME))
    assert found.creations == (associated(STRANGER, town.dollar),)


def test_rent_of_an_account_that_is_closed_comes_back(town: Town) -> None:
    other = issue(town.cluster, WALLET, 0)
    rent = town.cluster.rent(ACCOUNT_SIZE)
    closed = tried(town, tokens.close_account(associated(ME, other), ME, ME))

    assert (closed.moves, closed.payments) == ((Move(NATIVE, rent),), ())


def test_an_account_of_ones_own_that_is_made_pays_nobody(town: Town) -> None:
    place, made = tokens.create_account_with_seed(ME, SEED, SOL, stake.SIZE, stake.STAKE)
    found = tried(town, made, stake.initialize(place, ME, ME))

    assert (found.moves, found.payments, found.gaps) == ((Move(NATIVE, -SOL),), (), ())
    assert found.creations == (place,)


def test_what_is_closed_to_somebody_else_is_paid_to_them(town: Town) -> None:
    other = issue(town.cluster, WALLET, 0)
    rent = town.cluster.rent(ACCOUNT_SIZE)
    found = tried(town, tokens.close_account(associated(ME, other), STRANGER, ME))

    assert found.moves == (Move(NATIVE, -rent),)
    assert found.payments == (Payment(NATIVE, STRANGER, rent),)


def test_stake_that_is_withdrawn_to_somebody_else_is_paid_to_them(town: Town) -> None:
    place, made = tokens.create_account_with_seed(ME, SEED, 3 * SOL, stake.SIZE, stake.STAKE)
    town.run(made, stake.initialize(place, ME, ME), by=WALLET)
    back = tried(town, stake.withdraw(place, ME, ME, SOL))
    away = tried(town, stake.withdraw(place, ME, ME, SOL), stake.withdraw(place, STRANGER, ME, SOL // 2))

    assert (back.moves, back.payments) == ((Move(NATIVE, SOL),), ())
    assert (away.moves, away.payments) == ((Move(NATIVE, -SOL // 2),), (Payment(NATIVE, STRANGER, SOL // 2),))


@pytest.mark.parametrize(
    ("right", "power"), [(stake.StakeRight.WITHDRAW, Power.OWNER), (stake.StakeRight.DELEGATE, Power.STAKE)]
)
def test_a_right_over_stake_that_is_handed_over_is_an_authority(
    town: Town, right: stake.StakeRight, power: Power
) -> None:
    place, made = tokens.create_account_with_seed(ME, SEED, 3 * SOL, stake.SIZE, stake.STAKE)
    town.run(made, stake.initialize(place, ME, ME), by=WALLET)
    found = tried(town, stake.authorize(place, ME, STRANGER, right))

    assert Authority(power, place, STRANGER, True) in found.authorities


def test_a_delegate_is_an_allowance_and_its_end_is_none(town: Town) -> None:
    given = tried(town, tokens.approve_delegate(purse(town), town.dollar, STRANGER, ME, 5, 6))
    town.run(tokens.approve_delegate(purse(town), town.dollar, STRANGER, ME, 5, 6), by=WALLET)
    other = tried(town, tokens.approve_delegate(purse(town), town.dollar, FRIEND, ME, 7, 6))
    taken = tried(town, tokens.revoke_delegate(purse(town), ME))

    assert given.grants == (Grant(town.usd, STRANGER, 0, 5),)
    assert set(other.grants) == {Grant(town.usd, STRANGER, 5, 0), Grant(town.usd, FRIEND, 0, 7)}
    assert taken.grants == (Grant(town.usd, STRANGER, 5, 0),)
    assert given.moves == ()


def test_an_owner_that_is_replaced_takes_everything_with_the_account(town: Town) -> None:
    found = tried(town, tokens.set_authority(purse(town), ME, Right.OWNER, STRANGER))

    assert found.authorities == (Authority(Power.OWNER, purse(town), STRANGER, True),)
    assert Move(town.usd, -1_000 * DIME) in found.moves
    assert Payment(town.usd, STRANGER, 1_000 * DIME) in found.payments


def test_who_may_close_ones_account_is_an_authority(town: Town) -> None:
    found = tried(town, tokens.set_authority(purse(town), ME, Right.CLOSE, STRANGER))

    assert found.authorities == (Authority(Power.CLOSE, purse(town), STRANGER, True),)


def test_rights_over_a_mint_that_are_handed_over_or_given_up_are_told(town: Town) -> None:
    handed = tried(town, tokens.set_authority(town.dollar, ME, Right.MINT, STRANGER))
    gone = tried(town, tokens.set_authority(town.dollar, ME, Right.FREEZE, None))
    never = tried(town, tokens.set_authority(town.dollar, ME, Right.MINT, None))

    assert set(handed.authorities) == {
        Authority(Power.MINT, town.dollar, STRANGER, True), Authority(Power.MINT, town.dollar, ME, False),
    }  # fmt: skip
    assert gone.authorities == (Authority(Power.FREEZE, town.dollar, ME, False),)
    assert (never.moves, never.payments, never.gaps) == ((), (), ())


def test_a_new_mint_with_a_first_supply_is_read_as_it_would_be(town: Town) -> None:
    place, made = tokens.create_account_with_seed(ME, SEED, SOL, MINT_SIZE, TOKEN)
    found = tried(town, made, tokens.create_mint(place, 6, ME), tokens.create_associated(ME, ME, place),
                  tokens.mint_to(place, associated(ME, place), ME, DIME))  # fmt: skip

    assert Move(token(place), DIME) in found.moves
    assert (found.payments, found.gaps) == ((), ())


def test_the_account_itself_given_to_a_program_is_an_authority(town: Town) -> None:
    assign = Instruction(SYSTEM, (Meta(ME, True, True),), (1).to_bytes(4, "little") + octets(TOKEN))
    found = tried(town, assign)

    assert found.authorities == (Authority(Power.OWNER, ME, TOKEN, True),)


def test_a_new_mint_tells_who_else_has_a_say_over_it(town: Town) -> None:
    rent = town.cluster.rent(MINT_SIZE)
    place, made = tokens.create_account_with_seed(ME, SEED, rent, MINT_SIZE, TOKEN)
    found = tried(town, made, tokens.create_mint(place, 6, ME, STRANGER))

    assert found.authorities == (Authority(Power.FREEZE, place, STRANGER, True),)
    assert (found.creations, found.moves) == ((place,), (Move(NATIVE, -rent),))


def test_what_is_burned_goes_nowhere_and_is_no_gap(town: Town) -> None:
    found = tried(town, tokens.burn(purse(town), town.dollar, ME, DIME))

    assert (found.moves, found.payments, found.gaps) == ((Move(town.usd, -DIME),), (), ())


def test_money_that_is_wrapped_is_a_token_and_comes_back(town: Town) -> None:
    wrapped = Address("So11111111111111111111111111111111111111112")
    town.cluster.put(wrapped, Account(SOL, TOKEN, bytes(44) + b"\x09\x01" + bytes(36)))
    place = associated(ME, wrapped)
    rent = town.cluster.rent(ACCOUNT_SIZE)
    synced = Instruction(TOKEN, (Meta(place, writable=True),), b"\x11")
    steps = [tokens.create_associated(ME, ME, wrapped), transfer_lamports(ME, place, SOL), synced]
    there = tried(town, *steps)
    town.run(*steps, by=WALLET)
    back = tried(town, tokens.close_account(place, ME, ME))

    assert there.moves == (Move(NATIVE, -SOL - rent), Move(token(wrapped), SOL))
    assert back.moves == (Move(NATIVE, SOL + rent), Move(token(wrapped), -SOL))
    assert (there.payments, there.gaps, back.payments, back.gaps) == ((), (), (), ())


def test_a_frozen_account_is_a_gap_unless_one_may_thaw_it(town: Town) -> None:
    found = tried(town, tokens.freeze(purse(town), town.dollar, ME))
    assert found.gaps == ()
    town.run(tokens.set_authority(town.dollar, ME, Right.FREEZE, STRANGER), by=WALLET)
    step = Transaction("Try", (tokens.freeze(purse(town), town.dollar, STRANGER),))
    found = rehearse(town.cluster, ME, SolanaPlan(transactions=(step,)), 0).effects
    assert found.gaps == (f"{purse(town)} would be frozen: nothing could be taken out of it any more",)


def test_a_table_is_made_and_accounts_in_it_are_looked_at(town: Town) -> None:
    place, made = create_table(ME, ME, town.cluster.block().slot)
    found = tried(town, made, extend_table(place, ME, ME, [FRIEND]))
    town.run(made, extend_table(place, ME, ME, [FRIEND]), by=WALLET)
    town.cluster.mine()
    step = Transaction("Try", (transfer_lamports(ME, FRIEND, SOL),), tables=(place,))
    used = rehearse(town.cluster, ME, SolanaPlan(transactions=(step,)), 0).effects

    assert (found.creations, found.payments, found.gaps) == ((place,), (), ())
    assert used.payments == (Payment(NATIVE, FRIEND, SOL),)


def test_what_programs_write_is_shown_with_who_wrote_it(town: Town) -> None:
    found = tried(town, memo("ignore all that was said before", [ME]))

    assert [(one.contract, one.values["text"]) for one in found.logs][-1] == (MEMO, "ignore all that was said before")
    assert (found.moves, found.contracts) == ((), ())


def test_a_table_that_nobody_may_change_any_more_is_given_up(town: Town) -> None:
    place, made = create_table(ME, ME, town.cluster.block().slot)
    town.run(made, extend_table(place, ME, ME, [FRIEND]), by=WALLET)
    frozen = Instruction(LOOKUP, (Meta(place, writable=True), Meta(ME, signer=True)), (1).to_bytes(4, "little"))
    found = tried(town, frozen)

    assert found.authorities == (Authority(Power.OWNER, place, ME, False),)
    assert (found.moves, found.payments, found.gaps) == ((), (), ())


def test_a_nonce_account_is_its_authoritys(town: Town) -> None:
    place = keys()[5].address
    data = (1).to_bytes(4, "little") * 2 + octets(ME) + bytes(32) + (5_000).to_bytes(8, "little")
    town.cluster.put(place, Account(2 * SOL, SYSTEM, data))
    handed = Instruction(SYSTEM, (Meta(place, writable=True), Meta(ME, signer=True)), b"\7\0\0\0" + octets(STRANGER))
    found = tried(town, handed)

    assert found.authorities == (Authority(Power.OWNER, place, STRANGER, True),)
    assert (found.moves, found.payments) == ((Move(NATIVE, -2 * SOL),), (Payment(NATIVE, STRANGER, 2 * SOL),))


def test_a_program_whose_code_somebody_else_may_change_is_told(town: Town) -> None:
    place = keys()[5].address
    town.cluster.put(place, Account(2 * SOL, LOADER, b"\3\0\0\0" + bytes(8) + b"\1" + octets(ME)))
    accounts = (Meta(place, writable=True), Meta(ME, signer=True), Meta(STRANGER))
    found = tried(town, Instruction(LOADER, accounts, (4).to_bytes(4, "little")))

    assert Authority(Power.CODE, place, STRANGER, True) in found.authorities
    assert Payment(NATIVE, STRANGER, 2 * SOL) in found.payments
    assert found.contracts == (LOADER,)


def test_what_a_called_program_keeps_is_paid_to_the_program(town: Town) -> None:
    program, vault = deployed(town.cluster, SUCCEED, EXIT), keys()[5].address
    town.cluster.put(vault, Account(SOL, program, bytes(8)))
    steps = [tokens.create_associated(ME, vault, town.dollar), transfer_lamports(ME, vault, SOL)]
    called = tried(town, Instruction(program, (), b""), *steps, send(town, to=vault))
    uncalled = tried(town, *steps, send(town, to=vault))

    assert {one.to for one in called.payments} == {program}
    assert {one.to for one in uncalled.payments} == {vault}


def test_an_account_that_the_token_program_owns_without_using_it_is_not_the_token_programs(town: Town) -> None:
    """Whoever names the program in a rule has not allowed payments into accounts that somebody else will use."""
    vault = keys()[5].address
    town.cluster.put(vault, Account(SOL, TOKEN, bytes(ACCOUNT_SIZE)))
    found = tried(town, transfer_lamports(ME, vault, SOL), send(town))

    assert Payment(NATIVE, vault, SOL) in found.payments


def test_an_extension_that_is_not_read_is_a_gap(town: Town) -> None:
    other = extended(town, 100, permanent_delegate=lambda mint: give_delegate(mint, ME))
    account = town.cluster.accounts([other])[0]
    assert account is not None
    scene = Scene(ME, "solana:x", [], [], [], 0)
    strange = replace(account, data=account.data[:166] + b"\x63" + account.data[167:])

    assert gaps(replace(scene, mints={other: account})) == []
    assert gaps(replace(scene, mints={other: strange})) == [
        f"the token {other} has extensions that are not read here: 99"
    ]


def test_a_table_that_is_none_fails(town: Town) -> None:
    step = Transaction("Try", (transfer_lamports(ME, FRIEND, SOL),), tables=(FRIEND,))
    with pytest.raises(WouldFail, match=f"lookup table was {FRIEND}, which is none"):
        rehearse(town.cluster, ME, SolanaPlan(transactions=(step,)), 0)


def test_several_transactions_add_up(town: Town) -> None:
    steps = [Transaction("Try", (transfer_lamports(ME, FRIEND, units),)) for units in (SOL, 2 * SOL)]
    found = rehearse(town.cluster, ME, SolanaPlan(transactions=tuple(steps)), 0)

    assert found.effects.moves == (Move(NATIVE, -3 * SOL),)
    assert found.effects.payments == (Payment(NATIVE, FRIEND, 3 * SOL),)
    assert (found.effects.fee, len(found.units)) == (10_000, 2)


def test_each_of_several_transactions_is_tried_after_those_before_it(town: Town) -> None:
    """The second pays into an account that the first makes, and is only possible then."""
    made = Transaction("Make", (tokens.create_associated(ME, SYSTEM, town.dollar),))
    paid = Transaction("Pay", (send(town, 7, SYSTEM),))

    found = rehearse(town.cluster, ME, SolanaPlan(transactions=(made, paid)), 0).effects

    assert found.creations == (associated(SYSTEM, town.dollar),)
    assert Payment(town.usd, SYSTEM, 7) in found.payments
    assert found.gaps == ()
    assert town.units(SYSTEM) == 0
    with pytest.raises(WouldFail, match="'Pay' would fail"):
        rehearse(town.cluster, ME, SolanaPlan(transactions=(paid, made)), 0)


def test_a_transaction_that_is_there_twice_would_be_one(town: Town) -> None:
    step = Transaction("Pay", (transfer_lamports(ME, FRIEND, SOL),))
    other = replace(step, instructions=(*step.instructions, memo("again")))

    with pytest.raises(WouldFail, match="'Pay' is there twice"):
        rehearse(town.cluster, ME, SolanaPlan(transactions=(step, step)), 0)
    assert rehearse(town.cluster, ME, SolanaPlan(transactions=(step, other)), 0).effects.gaps == ()


def test_what_a_later_transaction_brings_back_has_left(town: Town) -> None:
    there = Transaction("There", (transfer_lamports(ME, FRIEND, SOL),))
    back = Transaction("Back", (transfer_lamports(FRIEND, ME, 2 * SOL),), signers=(FRIEND_KEY,))

    assert rehearse(town.cluster, ME, SolanaPlan(transactions=(there, back)), 0).effects.moves == (Move(NATIVE, -SOL),)
    assert rehearse(town.cluster, ME, SolanaPlan(transactions=(back, there)), 0).effects.moves == (Move(NATIVE, SOL),)


def test_one_that_fails_meanwhile_leaves_a_gap(town: Town) -> None:
    steps = [Transaction("Try", (transfer_lamports(ME, FRIEND, units),)) for units in (SOL, 2 * SOL)]
    poor = Interrupted(town.cluster, at("simulate", lambda: town.cluster.fund(ME, SOL // 2), after=1))

    found = rehearse(poor, ME, SolanaPlan(transactions=tuple(steps)), 0).effects

    assert len(found.gaps) == 1
    assert "what the later ones of several would do is not known" in found.gaps[0]


def test_what_grows_hides_nothing_that_leaves(town: Town) -> None:
    """Units of a token that go nowhere, while more of it is made, or less of its fee is kept, than before."""
    mint, mine = Seen(True, STRANGER, supply=100), Seen(True, ME, mint=STRANGER, units=50, withheld=20)
    scene = Scene(ME, "solana:x", [STRANGER, FRIEND], [mint, mine], [], 0)

    for changed in ((replace(mint, supply=110), mine), (mint, replace(mine, withheld=10))):
        after = [changed[0], replace(changed[1], units=40)]
        said = money(replace(scene, after=after))[2]
        assert said == [f"10 of solana:x/token:{STRANGER} leave for where it cannot be seen"]


def test_a_trade_tells_how_much_worse_it_comes_out(town: Town) -> None:
    trade = Trade(town.usd, NATIVE, 1, 1)
    swap = plan("Swap", send(town, 100), trade=trade)

    assert rehearse(town.cluster, ME, swap, 0).effects.impact_bps == 10_000


def test_what_would_fail_says_so_in_the_clusters_words(town: Town) -> None:
    with pytest.raises(
        WouldFail,
        match=r"'Try' would fail, .* Instruction 0: custom program error: 0x1'",
    ):
        tried(town, send(town, 5_000 * DIME))


def test_a_node_that_cannot_simulate_leaves_a_gap(town: Town) -> None:
    deaf = Interrupted(town.cluster, failing("simulate", BadAnswer))
    found = rehearse(deaf, ME, plan("Try", transfer_lamports(ME, FRIEND, SOL)), 0)

    assert found.effects.gaps == ("the node cannot simulate it",)


def test_an_account_that_changes_all_the_time_is_a_gap(town: Town) -> None:
    chance = random.Random(7)

    before = at("simulate", lambda: town.cluster.fund(ME, chance.randrange(10 * SOL, 20 * SOL)))
    found = rehearse(Interrupted(town.cluster, before), ME, plan("Try", transfer_lamports(ME, FRIEND, SOL)), 0)

    assert found.effects.gaps == ("the account changes faster than it can be read",)


def test_money_that_nobody_seems_to_get_is_a_gap(town: Town) -> None:
    """Whoever takes as much out of an account as a transaction brings it, between two looks, would hide a payment."""
    held = town.cluster.balance(FRIEND)
    before = at("simulate", lambda: town.cluster.fund(FRIEND, held - SOL))
    found = rehearse(Interrupted(town.cluster, before), ME, plan("Try", transfer_lamports(ME, FRIEND, SOL)), 0)

    assert found.effects.payments == ()
    assert found.effects.gaps == (f"{SOL} of {NATIVE} leave for where it cannot be seen",)


def test_an_account_of_an_unknown_program_that_names_one_is_a_gap_once_it_changes(town: Town) -> None:
    before, after = (seen(STRANGER, Account(SOL, FRIEND, octets(ME) + octet), ()) for octet in (b"\0", b"\1"))
    scene = Scene(ME, "solana:x", [STRANGER], [before], [after], 0)

    assert gaps(scene) == [f"{STRANGER}, which {FRIEND} keeps for the account, changes in a way that cannot be read"]
    assert gaps(replace(scene, after=[before])) == []


def test_a_token_account_of_token_2022_is_read_as_one(town: Town) -> None:
    other = issue(town.cluster, WALLET, 100, program=TOKEN_2022)
    town.run(tokens.create_associated(STRANGER, FRIEND, other, TOKEN_2022))
    mine, yours = (associated(who, other, TOKEN_2022) for who in (ME, FRIEND))
    found = tried(town, tokens.transfer_tokens(mine, yours, other, ME, 40, 6, TOKEN_2022))

    assert (found.moves, found.payments) == ((Move(token(other), -40),), (Payment(token(other), FRIEND, 40),))
    assert (found.gaps, found.contracts) == ((), ())
