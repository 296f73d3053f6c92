"""Instructions and words, byte for byte as the published npm clients write them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mercato.chains.solana import budget, lookup, stake, token_2022, tokens, words
from mercato.chains.solana.extensions import Extension
from mercato.chains.solana.messages import seeded
from mercato.chains.solana.model import TOKEN_2022, Instruction
from mercato.chains.solana.testing import keys
from mercato.chains.solana.tokens import Right
from tests import npm

pytestmark = pytest.mark.npm
CLIENT = Path(__file__).parent / "clients/layouts.ts"
ANN, BEN, CAM, DAN = (key.address for key in keys()[:4])
TABLE, NEW_TABLE = lookup.create_table(ANN, BEN, 77)
ROOM, MEMOS = token_2022.demand_memos(ANN, CAM, CAM)
COIN = token_2022.Metadata("Münze", "MÜ", "x:y")
OURS: dict[str, Instruction] = {
    "approve": tokens.approve_delegate(ANN, BEN, CAM, DAN, 500, 6, TOKEN_2022),
    "revoke": tokens.revoke_delegate(ANN, BEN, TOKEN_2022),
    "hand_over": tokens.set_authority(ANN, BEN, Right.CLOSE, CAM, TOKEN_2022),
    "renounce": tokens.set_authority(ANN, BEN, Right.PERMANENT_DELEGATE, None, TOKEN_2022),
    "burn": tokens.burn(ANN, BEN, CAM, 500, TOKEN_2022),
    "close": tokens.close_account(ANN, BEN, CAM, TOKEN_2022),
    "freeze": tokens.freeze(ANN, BEN, CAM, TOKEN_2022),
    "thaw": tokens.thaw(ANN, BEN, CAM, TOKEN_2022),
    "sync": tokens.sync_native(ANN),
    "pointer": token_2022.point_at_metadata(ANN, BEN, ANN),
    "fee": token_2022.charge_fee(ANN, 125, 5000, BEN, None),
    "new_fee": token_2022.change_fee(ANN, BEN, 200, 7000),
    "delegate": token_2022.give_delegate(ANN, BEN),
    "hook": token_2022.hook_transfers(ANN, BEN, CAM),
    "frozen": token_2022.begin_frozen(ANN),
    "bound": token_2022.bind_to_holder(ANN),
    "closing": token_2022.allow_closing(ANN, BEN),
    "pausing": token_2022.allow_pausing(ANN, BEN),
    "with_fee": token_2022.transfer_with_fee(ANN, CAM, BEN, DAN, 1000, 6, 10),
    "room": ROOM,
    "memos": MEMOS,
    "metadata": token_2022.write_metadata(ANN, BEN, CAM, COIN),
    "no_metadata": token_2022.hand_over_metadata(ANN, BEN),
    "memo": words.memo("ça va", [ANN]),
    "table": NEW_TABLE,
    "extend": lookup.extend_table(TABLE, ANN, BEN, [CAM, DAN]),
    "end": lookup.end_table(TABLE, ANN),
    "close_table": lookup.close_table(TABLE, ANN, BEN),
    "limit": budget.limit_units(70_000),
    "price": budget.offer_price(12_345),
    "stake": stake.initialize(ANN, BEN, CAM),
    "stake_to": stake.delegate(ANN, CAM, BEN),
    "unstake": stake.deactivate(ANN, BEN),
    "withdraw": stake.withdraw(ANN, CAM, BEN, 99),
}


@cache
def theirs() -> Any:
    found = npm.run(CLIENT, ANN, BEN, CAM, DAN)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def shown(item: Instruction) -> dict[str, object]:
    accounts = [[meta.address, meta.signer, meta.writable] for meta in item.accounts]
    return {"program": item.program, "accounts": accounts, "data": item.data.hex()}


@pytest.mark.parametrize("name", OURS)
def test_an_instruction_is_what_the_published_client_writes(name: str) -> None:
    assert shown(OURS[name]) == theirs()["instructions"][name]


def test_addresses_and_sizes_follow_as_in_the_published_clients() -> None:
    place, made = tokens.create_account_with_seed(ANN, "coin", 7, 9, TOKEN_2022)
    kinds = [Extension.TRANSFER_FEE, Extension.METADATA_POINTER, Extension.NON_TRANSFERABLE]

    assert place == seeded(ANN, "coin", TOKEN_2022) == theirs()["place"]
    assert made.data.hex() == theirs()["instructions"]["seeded"]["data"]
    assert theirs()["table"] == TABLE
    assert theirs()["size"] == token_2022.mint_size(kinds)


def test_words_of_a_sign_in_are_those_of_the_published_client() -> None:
    whole = words.SignIn(
        "example.org", ANN, "Come in.", "https://example.org", "1", "solana:localnet", "abcdefgh12",
        "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2025-12-31T00:00:00Z", "7",
        ("https://example.org/a", "https://example.org/b"),
    )  # fmt: skip

    assert [whole.text(), words.SignIn("example.org", ANN).text()] == theirs()["texts"]
