"""Token-2022's extensions as the program itself writes and obeys them, on the embedded cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.chains.errors import BadCall, Reverted
from mercato.chains.solana import extensions, token_2022, tokens, words
from mercato.chains.solana.extensions import Extension, FeeRule, Metadata, MintRules, TransferFee, entries, rules
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import TOKEN_2022, Account, Address, Instruction
from mercato.chains.solana.testing import issue, keys, local, signed
from mercato.chains.solana.tokens import Right, associated, token_account

ANN, BEN, CAM = keys()[:3]
SAYS = token_2022.Metadata("Mercato coin", "MRC", "https://example.org/coin.json")


@pytest.fixture
def cluster() -> LocalCluster:
    return local()


def minted(cluster: LocalCluster, kinds: list[Extension], *steps: Callable[[Address], Instruction]) -> Address:
    """A token of Ann's with extensions, which `steps` set up."""
    size = token_2022.mint_size(kinds)
    at, made = tokens.create_account_with_seed(ANN.address, "coin", cluster.rent(size), size, TOKEN_2022)
    begin = tokens.create_mint(at, 6, ANN.address, ANN.address, TOKEN_2022)
    cluster.send_raw(signed(cluster, [made, *(step(at) for step in steps), begin], ANN))
    return at


def holdings(cluster: LocalCluster, mint: Address) -> tuple[Address, Address]:
    """Accounts of Ann, with a million, and of Ben."""
    mine, yours = (associated(key.address, mint, TOKEN_2022) for key in (ANN, BEN))
    steps = [tokens.create_associated(ANN.address, key.address, mint, TOKEN_2022) for key in (ANN, BEN)]
    cluster.send_raw(signed(cluster, [*steps, tokens.mint_to(mint, mine, ANN.address, 10**6, TOKEN_2022)], ANN))
    return mine, yours


def held(cluster: LocalCluster, at: Address) -> int:
    found = token_account(cluster.accounts([at])[0])
    assert found
    return found.amount


@pytest.mark.parametrize(
    ("kind", "step", "expected"),
    [
        (
            Extension.PERMANENT_DELEGATE, lambda at: token_2022.give_delegate(at, BEN.address),
            MintRules(delegate=BEN.address),
        ),
        (
            Extension.TRANSFER_HOOK, lambda at: token_2022.hook_transfers(at, ANN.address, BEN.address),
            MintRules(hook=BEN.address, hook_authority=ANN.address),
        ),
        (Extension.DEFAULT_STATE, token_2022.begin_frozen, MintRules(born_frozen=True)),
        (Extension.NON_TRANSFERABLE, token_2022.bind_to_holder, MintRules(transferable=False)),
        (
            Extension.CLOSE_AUTHORITY, lambda at: token_2022.allow_closing(at, BEN.address),
            MintRules(closer=BEN.address),
        ),
        (Extension.PAUSABLE, lambda at: token_2022.allow_pausing(at, BEN.address), MintRules(pauser=BEN.address)),
    ],
)  # fmt: skip
def test_what_a_mint_lets_others_do_is_read_from_it(
    cluster: LocalCluster, kind: Extension, step: Callable[[Address], Instruction], expected: MintRules
) -> None:
    assert rules(cluster.accounts([minted(cluster, [kind], step)])[0]) == expected


def test_a_transfer_keeps_the_fee_back_that_it_states(cluster: LocalCluster) -> None:
    mint = minted(
        cluster, [Extension.TRANSFER_FEE], lambda at: token_2022.charge_fee(at, 125, 5_000, ANN.address, BEN.address)
    )
    fee = TransferFee(0, 5_000, 125)
    mine, yours = holdings(cluster, mint)

    assert rules(cluster.accounts([mint])[0]).fee == FeeRule(ANN.address, BEN.address, fee, fee)
    with pytest.raises(Reverted, match="custom program error"):
        cluster.send_raw(
            signed(cluster, [token_2022.transfer_with_fee(mine, yours, mint, ANN.address, 999, 6, 12)], ANN)
        )
    for amount in (999, 500_000):
        before, kept = held(cluster, yours), fee.of(amount)
        sent = token_2022.transfer_with_fee(mine, yours, mint, ANN.address, amount, 6, kept)
        cluster.send_raw(signed(cluster, [sent], ANN))
        assert held(cluster, yours) - before == amount - kept
    assert [fee.of(999), fee.of(500_000)] == [13, 5_000]


@given(st.integers(0, 2**64 - 1), st.integers(0, 10_000), st.integers(0, 2**64 - 1))
def test_a_fee_is_rounded_up_and_never_above_its_most(amount: int, bps: int, most: int) -> None:
    fee = TransferFee(0, most, bps).of(amount)

    assert 0 <= fee <= min(amount, most)
    assert fee == most or 0 <= fee * 10_000 - amount * bps < 10_000


def test_a_fee_changes_with_the_epoch_that_it_names() -> None:
    rule = FeeRule(None, None, TransferFee(0, 1, 1), TransferFee(3, 2, 2))

    assert [rule.at(epoch).bps for epoch in (2, 3, 4)] == [1, 2, 2]


def test_metadata_lie_in_the_mint_and_are_given_up_for_good(cluster: LocalCluster) -> None:
    size = token_2022.mint_size([Extension.METADATA_POINTER])
    rent = cluster.rent(size + SAYS.size)
    at, made = tokens.create_account_with_seed(ANN.address, "coin", rent, size, TOKEN_2022)
    steps = [
        made, token_2022.point_at_metadata(at, ANN.address, at),
        tokens.create_mint(at, 6, ANN.address, None, TOKEN_2022),
        token_2022.write_metadata(at, ANN.address, ANN.address, SAYS),
    ]  # fmt: skip
    cluster.send_raw(signed(cluster, steps, ANN))
    account = cluster.accounts([at])[0]

    assert account
    assert account.lamports == cluster.rent(len(account.data))
    assert rules(account).metadata == Metadata(ANN.address, at, SAYS.name, SAYS.symbol, SAYS.uri)
    give = tokens.set_authority(at, ANN.address, Right.METADATA_POINTER, None, TOKEN_2022)
    cluster.send_raw(signed(cluster, [token_2022.hand_over_metadata(at, ANN.address), give], ANN))
    after = rules(cluster.accounts([at])[0])
    assert after.metadata
    assert (after.metadata.authority, after.pointer_authority) == (None, None)


def test_an_account_may_want_a_memo_with_what_it_gets(cluster: LocalCluster) -> None:
    mint = minted(cluster, [Extension.CLOSE_AUTHORITY], lambda at: token_2022.allow_closing(at, ANN.address))
    mine, yours = holdings(cluster, mint)
    send = tokens.transfer_tokens(mine, yours, mint, ANN.address, 5, 6, TOKEN_2022)
    cluster.send_raw(signed(cluster, list(token_2022.demand_memos(yours, BEN.address, BEN.address)), BEN))

    assert [extensions.wants_memo(found) for found in cluster.accounts([yours, mine, mint])] == [True, False, False]
    with pytest.raises(Reverted):
        cluster.send_raw(signed(cluster, [send], ANN))
    cluster.send_raw(signed(cluster, [words.memo("rent of March"), send], ANN))
    assert held(cluster, yours) == 5


def test_tokens_of_the_classic_program_have_no_rules(cluster: LocalCluster) -> None:
    account = cluster.accounts([issue(cluster, ANN, 1)])[0]

    assert rules(account) == rules(None) == MintRules()
    assert not extensions.wants_memo(account)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_extensions_are_read_as_few_as_they_are(noise: bytes) -> None:
    data = bytes(165) + noise

    assert sum(4 + len(value) for _, value in entries(data)) <= len(noise)
    assert isinstance(rules(Account(1, TOKEN_2022, data)), MintRules)


def test_fees_beyond_the_whole_are_refused() -> None:
    with pytest.raises(BadCall, match="bps was 10001"):
        token_2022.charge_fee(ANN.address, 10_001, 1, None, None)
    with pytest.raises(BadCall, match="units were"):
        token_2022.charge_fee(ANN.address, 1, 2**64, None, None)
