"""Whatever an agent does on Solana: what the journal adds up to is what its accounts on the chain have."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from mercato.chains.solana import token_2022, tokens
from mercato.chains.solana.extensions import Extension
from mercato.chains.solana.model import SOL, TOKEN_2022, Address
from mercato.chains.solana.tokens import WRAPPED, associated
from mercato.core.clock import HandClock
from mercato.core.errors import MercatoError
from mercato.kit import Origin
from mercato.kit.replay import replay
from mercato.kit.solana.actions import catalogue
from mercato.store import Store
from tests.kit.solana.acting import opened
from tests.kit.solana.ground import DIME, FRIEND, ME, NATIVE, STRANGER, WALLET, Town, token, town

COIN, TAX, WSOL = "coin", "tax", str(WRAPPED)
AMOUNTS = [1, 7, 999, 50_000, DIME // 4, SOL // 100]
#: What is done, and which of its arguments are drawn.
STEPS: dict[str, tuple[str, ...]] = {
    "transfer-native": ("to", "amount"), "transfer": ("token", "to", "amount"), "mint": ("token", "amount"),
    "burn": ("token", "amount"), "wrap": ("amount",), "close-account": ("token",), "open-account": ("token", "owner"),
    "stake-create": ("amount",), "approve": ("token", "spender", "amount"), "memo": ("text",),
}  # fmt: skip


def drawn(chance: Random, name: str) -> Any:
    """A value for an argument."""
    if name == "token":
        return chance.choice([COIN, TAX, WSOL])
    if name == "amount":
        return str(chance.choice(AMOUNTS))
    return "hello" if name == "text" else chance.choice([FRIEND, STRANGER])


def taxed(made: Town) -> Address:
    """A token of the wallet's that keeps a hundredth of each transfer back; the wallet has a million."""
    size = token_2022.mint_size([Extension.TRANSFER_FEE])
    at, account = tokens.create_account_with_seed(ME, "tax", made.cluster.rent(size), size, TOKEN_2022)
    steps = [
        account, token_2022.charge_fee(at, 100, 5_000, ME, ME), tokens.create_mint(at, 6, ME, ME, TOKEN_2022),
        tokens.create_associated(ME, ME, at, TOKEN_2022),
        tokens.mint_to(at, associated(ME, at, TOKEN_2022), ME, DIME, TOKEN_2022),
    ]  # fmt: skip
    made.run(*steps, by=WALLET)
    return at


def held(made: Town, tax: Address) -> dict[str, int]:
    """What the wallet has of everything, by the assets' names."""
    return {
        NATIVE: made.cluster.balance(ME), made.usd: made.units(ME), token(tax): made.units(ME, tax, TOKEN_2022),
        token(WRAPPED): made.units(ME, WRAPPED),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_journal_adds_up_to_what_the_accounts_have(sqlite: Store, clock: HandClock, seed: int) -> None:
    made, chance = town(), Random(seed)
    tax = taxed(made)
    meant = {COIN: made.dollar, TAX: tax, WSOL: WRAPPED}
    kit = opened(made, sqlite, clock, TAX=tax, WSOL=WRAPPED)
    kit.actions = catalogue()
    before, done = held(made, tax), Counter[str]()
    for _ in range(40):
        name, wanted = chance.choice(sorted(STEPS.items()))
        arguments = {key: drawn(chance, key) for key in wanted}
        whole = {key: meant.get(value, value) if key == "token" else value for key, value in arguments.items()}
        with suppress(MercatoError):
            done[kit.act(kit.intent(name, whole, origin=Origin.OPERATOR)).intent.action] += 1
    booked = {asset: units for (_, asset), units in replay(sqlite, "agent").balances.items() if units}

    after = held(made, tax)
    assert booked == {asset: after[asset] - before[asset] for asset in after if after[asset] != before[asset]}
    assert len(done) > 5
    assert done["transfer"]
