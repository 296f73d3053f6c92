"""Words, reading, raw instructions and prices on the embedded cluster."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey
from solders.signature import Signature

from mercato.chains.solana.budget import priority_fee
from mercato.chains.solana.model import SOL
from mercato.chains.solana.testing import validator
from mercato.chains.solana.tokens import associated
from mercato.core.events import Json
from mercato.kit import Effects, Payment
from mercato.kit.errors import BadArgument
from mercato.kit.service import Kit
from tests.kit.solana.acting import act, moved
from tests.kit.solana.ground import DIME, FRIEND, FRIEND_KEY, ME, NATIVE, STRANGER, Town

PAY: dict[str, Json] = {
    "program": "1" * 32, "data": "0x02000000" + SOL.to_bytes(8, "little").hex(),
    "accounts": [{"address": ME, "signer": True, "writable": True}, {"address": STRANGER, "writable": True}],
}  # fmt: skip


def test_a_memo_stands_in_the_block(kit: Kit, town: Town) -> None:
    made = act(kit, "memo", text="what the agent wanted to say")

    assert (made.effects.moves, made.effects.payments) == ((), ())
    receipt = town.cluster.wait(town.cluster.history(ME, 1)[0])
    assert any("what the agent wanted to say" in line for line in receipt.logs)


def test_words_are_signed_as_wallets_sign_them(kit: Kit) -> None:
    made = act(kit, "sign-message", message="Hello, Mercato.")

    signature = Signature.from_bytes(made.signed[0].raw)
    assert signature.verify(Pubkey.from_string(ME), b"Hello, Mercato.")
    assert made.effects == Effects()


def test_a_sign_in_has_the_words_that_the_page_asked_for(kit: Kit) -> None:
    asked: dict[str, Json] = {
        "domain": "example.org", "statement": "Come in.", "uri": "https://example.org", "version": "1",
        "chain": "mainnet", "nonce": "abcdefgh12", "resources": ["https://example.org/terms"],
    }  # fmt: skip
    plan = kit.plan(kit.intent("sign-in", asked))
    made = act(kit, "sign-in", **asked)

    assert plan.message
    assert plan.message.digest.decode() == (
        f"example.org wants you to sign in with your Solana account:\n{ME}\n\nCome in.\n\n"
        "URI: https://example.org\nVersion: 1\nChain ID: mainnet\nNonce: abcdefgh12\n"
        "Resources:\n- https://example.org/terms"
    )
    assert Signature.from_bytes(made.signed[0].raw).verify(Pubkey.from_string(ME), plan.message.digest)


def test_any_instructions_run_as_one_transaction(kit: Kit, town: Town) -> None:
    made = act(kit, "batch", instructions=[PAY, PAY], price="1500")

    assert moved(made) == {"SOL": -2 * SOL}
    assert made.effects.payments == (Payment(NATIVE, STRANGER, 2 * SOL),)
    assert 5_000 < made.effects.fee <= 5_000 + priority_fee(1_400_000, 1_500)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"program": "0x12"}, "address was '0x12'"),
        ({"data": "zz"}, "data was 'zz'"),
        ({"accounts": [{"address": FRIEND, "signer": True}]}, "signer was"),
        ({"accounts": [{"address": ME, "signer": 1}]}, "account was"),
        ({"accounts": [{"address": ME, "owner": ME}]}, "account was"),
        ({"accounts": "all"}, "instruction was"),
        ({"more": 1}, "instruction was"),
    ],
)
def test_instructions_that_cannot_be_right_are_refused(kit: Kit, changes: dict[str, Json], said: str) -> None:
    with pytest.raises(BadArgument, match=said):
        kit.plan(kit.intent("batch", {"instructions": [{**PAY, **changes}]}))


def test_no_instructions_are_no_batch(kit: Kit) -> None:
    with pytest.raises(BadArgument, match="instructions were 0"):
        kit.plan(kit.intent("batch", {"instructions": []}))


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("sign-message", {"message": "\x01\x00"}),
        ("sign-in", {"domain": "a.org\nb"}),
        ("sign-in", {"domain": ""}),
        ("sign-in", {"domain": "a.org", "resources": [1]}),
        ("sign-in", {"domain": "a.org", "resources": ["x"] * 17}),
        ("memo", {"text": ""}),
        ("batch", {"instructions": [PAY], "tables": [ME] * 9}),
        ("batch", {"instructions": [PAY] * 17}),
    ],
)
def test_words_that_pose_as_something_else_and_too_much_at_once_are_refused(
    kit: Kit, action: str, arguments: dict[str, Json]
) -> None:
    with pytest.raises(BadArgument):
        kit.plan(kit.intent(action, arguments))


def test_an_account_is_read_as_what_it_is(kit: Kit, town: Town) -> None:
    vote = validator(town.cluster, FRIEND_KEY)
    [stake] = act(kit, "stake-create", amount=str(SOL), validator=vote).effects.creations
    [table] = act(kit, "create-lookup-table", addresses=[FRIEND]).effects.creations

    def read(address: str) -> dict[str, Json]:
        told = kit.read("read-account", {"address": address})
        assert isinstance(told, dict)
        return told

    coin = read(town.dollar)
    assert (coin["kind"], coin["supply"], coin["metadata"]) == ("mint", str(1_000 * DIME), None)
    held = read(associated(ME, town.dollar))
    assert (held["kind"], held["units"], held["holder"]) == ("token account", str(1_000 * DIME), ME)
    assert (read(stake)["kind"], read(stake)["validator"], read(stake)["delegated"]) == (
        "stake account",
        vote,
        str(SOL),
    )
    assert (read(table)["kind"], read(table)["addresses"]) == ("lookup table", [FRIEND])
    assert (read(ME)["kind"], read(ME)["data"], read(vote)["size"]) == ("other", "0x", 3762)
    assert read(associated(STRANGER, town.dollar)) == {
        "address": associated(STRANGER, town.dollar), "exists": False,
    }  # fmt: skip


def test_what_blocks_took_is_told(kit: Kit) -> None:
    told = kit.read("priority-fee", {"addresses": [FRIEND], "percent": 50})

    assert isinstance(told, dict)
    assert (told["micro_lamports"], told["percent"]) == ("0", 50)
    with pytest.raises(BadArgument, match="percent was 101"):
        kit.read("priority-fee", {"percent": 101})
