"""Rights over tokens, lookup tables, prices and words on the embedded cluster."""

from __future__ import annotations

import pytest

from mercato.chains.errors import BadCall, Reverted
from mercato.chains.solana import budget, lookup, tokens, words
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.messages import compile_message, signers_of
from mercato.chains.solana.model import SOL, Address, Instruction
from mercato.chains.solana.testing import issue, keys, local, signed
from mercato.chains.solana.tokens import Right, TokenAccount, associated, mint, token_account, transfer_lamports
from mercato.chains.solana.words import SignIn

ANN, BEN, CAM = keys()[:3]


@pytest.fixture
def cluster() -> LocalCluster:
    return local()


def send(cluster: LocalCluster, *steps: Instruction) -> None:
    cluster.send_raw(signed(cluster, steps, ANN))


def read(cluster: LocalCluster, at: Address) -> TokenAccount:
    found = token_account(cluster.accounts([at])[0])
    assert found
    return found


def test_rights_over_a_token_account_are_given_and_taken(cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 1_000)
    mine = associated(ANN.address, token)

    send(cluster, tokens.approve_delegate(mine, token, BEN.address, ANN.address, 40, 6))
    assert (read(cluster, mine).delegate, read(cluster, mine).delegated) == (BEN.address, 40)
    send(cluster, tokens.revoke_delegate(mine, ANN.address))
    assert read(cluster, mine).delegate is None
    send(cluster, tokens.freeze(mine, token, ANN.address))
    assert read(cluster, mine).state == "frozen"
    with pytest.raises(Reverted):
        send(cluster, tokens.burn(mine, token, ANN.address, 1))
    send(cluster, tokens.thaw(mine, token, ANN.address), tokens.burn(mine, token, ANN.address, 1_000))
    send(cluster, tokens.close_account(mine, CAM.address, ANN.address))
    assert cluster.accounts([mine]) == (None,)


def test_rights_over_a_mint_are_given_up_for_good(cluster: LocalCluster) -> None:
    token = issue(cluster, ANN, 1_000)

    send(cluster, tokens.set_authority(token, ANN.address, Right.FREEZE, BEN.address))
    send(cluster, tokens.set_authority(token, ANN.address, Right.MINT))

    found = mint(cluster.accounts([token])[0])
    assert found
    assert (found.authority, found.freezer) == (None, BEN.address)


def test_an_account_with_a_seed_needs_no_key_and_comes_once(cluster: LocalCluster) -> None:
    rent = cluster.rent(0)
    at, made = tokens.create_account_with_seed(ANN.address, "box", rent, 0, lookup.LOOKUP)

    send(cluster, made)

    account = cluster.accounts([at])[0]
    assert account
    assert (account.lamports, account.owner) == (rent, lookup.LOOKUP)
    cluster.mine()
    with pytest.raises(Reverted):
        send(cluster, made)
    with pytest.raises(BadCall, match="seed was"):
        tokens.create_account_with_seed(ANN.address, "b" * 33, rent, 0, lookup.LOOKUP)


def test_a_lookup_table_is_made_extended_ended_and_closed(cluster: LocalCluster) -> None:
    at, made = lookup.create_table(ANN.address, ANN.address, cluster.block().slot)
    send(cluster, made, lookup.extend_table(at, ANN.address, ANN.address, [BEN.address, CAM.address]))
    table = lookup.lookup_table(cluster.accounts([at])[0])
    send(cluster, lookup.end_table(at, ANN.address))
    ended = lookup.lookup_table(cluster.accounts([at])[0])
    cluster.mine(514)
    send(cluster, lookup.close_table(at, ANN.address, ANN.address))

    assert table == lookup.LookupTable(ANN.address, None, (BEN.address, CAM.address))
    assert ended
    assert ended.ended == cluster.block().slot - 515
    assert cluster.accounts([at]) == (None,)
    assert [lookup.lookup_table(found) for found in cluster.accounts([ANN.address, at])] == [None, None]


def test_a_price_is_paid_for_the_units_that_were_asked_for(cluster: LocalCluster) -> None:
    pay = transfer_lamports(ANN.address, BEN.address, SOL)
    recent = cluster.lifetime().blockhash
    steps = [budget.limit_units(1_001), budget.offer_price(1_500), pay]

    assert cluster.fee(compile_message(ANN.address, steps, recent)) == 5_000 + budget.priority_fee(1_001, 1_500)
    assert budget.priority_fee(1_001, 1_500) == 2
    assert set(cluster.priorities([BEN.address])) == {0}


def test_an_estimate_is_a_percentile_of_what_blocks_took() -> None:
    paid = [0, 0, 100, 400, 300]

    assert [budget.estimate(paid, percent) for percent in (0, 50, 75, 100)] == [0, 100, 300, 400]
    assert budget.estimate([]) == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: budget.limit_units(0), "units were 0"),
        (lambda: budget.limit_units(1_400_001), "units were"),
        (lambda: budget.offer_price(2**64), "price was"),
        (lambda: budget.estimate([], 101), "percent was"),
        (lambda: words.memo(""), "memo was ''"),
        (lambda: words.memo("x" * 567), "memo was"),
        (lambda: local().priorities([ANN.address] * 129), "addresses were 129"),
        (lambda: SignIn("", ANN.address).text(), "domain was ''"),
        (lambda: SignIn("a.org\nURI: b.org", ANN.address).text(), "field was"),
    ],
)
def test_what_cannot_be_right_is_refused(make, said: str) -> None:
    with pytest.raises(BadCall, match=said):
        make()


def test_a_memo_stands_in_the_logs(cluster: LocalCluster) -> None:
    receipt = cluster.wait(cluster.send_raw(signed(cluster, [words.memo("hello", [ANN.address])], ANN)))

    assert f"Program log: {ANN.address}" in receipt.logs
    assert "Program log: hello" in receipt.logs


def test_words_that_could_be_a_transaction_are_not_signed() -> None:
    call = "\t" + "\t" + "\t" * 9 + "\t" + "x" * 9
    posing = "\n\t\t" + " " + "k" * 32 * 32 + "h" * 32 + "\t" + call * 9

    assert len(signers_of(posing.encode())) == 10
    assert words.signable("Come in,\n\tplease.") == b"Come in,\n\tplease."
    for bad in (posing, "", "x" * 5_000, "\x1b[31m", "\x01\x00"):
        with pytest.raises(BadCall, match="words were"):
            words.signable(bad)
