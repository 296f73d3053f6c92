"""Addresses, keys, messages, token layouts and errors, without a cluster."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address
from solders.token.state import Mint, TokenAccount, TokenAccountState

from mercato.chains.errors import BadCall, RealChainRefused
from mercato.chains.solana import base58, clusters
from mercato.chains.solana.keys import SolanaKey
from mercato.chains.solana.messages import accounts_of, assemble, compile_message, sign, signature_of, signers_of
from mercato.chains.solana.model import SOL, SYSTEM, TOKEN, TOKEN_2022, Account, Address, Blockhash, Instruction, Meta
from mercato.chains.solana.reasons import words
from mercato.chains.solana.tokens import associated, mint, mint_to, token_account, transfer_lamports
from mercato.core.chain import Chain
from mercato.core.errors import InvalidInput
from mercato.core.settings import Secret

SEED = bytes(range(32))
PAIR = Keypair.from_seed(SEED)
HASH = Blockhash("1" * 32)


@given(st.binary(max_size=80))
def test_base_58_comes_back_as_it_was(value: bytes) -> None:
    assert base58.decode(base58.encode(value)) == value


@given(st.binary(min_size=32, max_size=32))
def test_base_58_is_what_solana_writes(value: bytes) -> None:
    assert base58.encode(value) == str(Pubkey.from_bytes(value))


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "ä", " 1", "1" * 5000])
def test_other_letters_are_no_base_58(text: str) -> None:
    with pytest.raises(InvalidInput):
        base58.decode(text)


def test_base_58_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidInput, match="expected 64"):
        base58.decode("1" * 32, 64)


@pytest.mark.parametrize(
    "secret",
    [
        SEED,
        bytes(PAIR),
        Secret(base58.encode(bytes(PAIR))),
        Secret(base58.encode(SEED)),
        Secret(json.dumps([*bytes(PAIR)])),
    ],
)
def test_a_key_comes_in_the_forms_that_wallets_write(secret: bytes | Secret) -> None:
    key = SolanaKey(secret)

    assert key.address == str(PAIR.pubkey())
    assert key.message(b"hello") == bytes(PAIR.sign_message(b"hello"))


@pytest.mark.parametrize(
    "secret", [b"", SEED[1:], SEED + bytes(32), Secret("nonsense0"), Secret("[1, 2, 300]"), Secret("")]
)
def test_what_is_no_key_is_refused_without_being_shown(secret: bytes | Secret) -> None:
    with pytest.raises(BadCall) as refused:
        SolanaKey(secret)
    assert "nonsense" not in str(refused.value)


def test_a_key_does_not_show_itself() -> None:
    key = SolanaKey(SEED)

    assert repr(key) == f"SolanaKey(of {key.address})"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_a_message_is_signed_by_those_it_names_and_nobody_else() -> None:
    ann, ben = SolanaKey(SEED), SolanaKey.new()
    message = compile_message(ann.address, [transfer_lamports(ann.address, ben.address, 1)], HASH)

    raw = sign(message, [ann])

    assert signers_of(message) == [ann.address]
    assert base58.decode(signature_of(raw)) == ann.message(message)
    with pytest.raises(BadCall, match="missing"):
        sign(message, [])
    with pytest.raises(BadCall, match="not needed"):
        sign(message, [ann, ben])


def test_a_message_says_who_signs_and_what_may_change() -> None:
    ann, ben = SolanaKey(SEED).address, SolanaKey.new().address
    message = compile_message(ann, [transfer_lamports(ann, ben, 1)], HASH)

    assert accounts_of(message) == [Meta(ann, True, True), Meta(ben, False, True), Meta(SYSTEM)]
    with pytest.raises(BadCall):
        accounts_of(message[:-1])


def test_a_message_that_fits_into_no_packet_is_refused() -> None:
    ann = SolanaKey(SEED)
    message = compile_message(ann.address, [Instruction(TOKEN, (), bytes(1300))], HASH)

    with pytest.raises(BadCall, match="at most 1232"):
        assemble(message)


@pytest.mark.parametrize("address", ["", "0x12", "1" * 31, "l" * 32])
def test_what_is_no_address_is_refused(address: str) -> None:
    ann = SolanaKey(SEED)

    with pytest.raises(BadCall):
        compile_message(ann.address, [Instruction(TOKEN, (Meta(Address(address)),), b"")], HASH)


@pytest.mark.parametrize("lamports", [-1, 2**64])
def test_an_amount_beyond_64_bits_is_refused(lamports: int) -> None:
    with pytest.raises(BadCall):
        transfer_lamports(TOKEN, TOKEN, lamports)
    with pytest.raises(BadCall):
        mint_to(TOKEN, TOKEN, TOKEN, lamports)


def test_associated_accounts_lie_where_solana_puts_them() -> None:
    owner, token = Pubkey.new_unique(), Pubkey.new_unique()

    found = associated(Address(str(owner)), Address(str(token)))

    assert found == str(get_associated_token_address(owner, token))


@given(st.integers(0, 2**64 - 1), st.integers(0, 255), st.booleans(), st.booleans())
def test_mints_are_read_as_solana_writes_them(supply: int, decimals: int, authority: bool, freezer: bool) -> None:
    who, nobody = Pubkey.new_unique(), None
    made = Mint(who if authority else nobody, supply, decimals, True, who if freezer else nobody)

    found = mint(Account(1, TOKEN, bytes(made)))

    assert found
    assert (found.supply, found.decimals) == (supply, decimals)
    assert (found.authority, found.freezer) == tuple(str(who) if there else None for there in (authority, freezer))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.booleans(), st.sampled_from([None, 0, 2_039_280]))
def test_token_accounts_are_read_as_solana_writes_them(
    amount: int, delegated: int, delegate: bool, native: int | None
) -> None:
    keys = [Pubkey.new_unique() for _ in range(3)]
    other = keys[2] if delegate else None
    made = TokenAccount(keys[0], keys[1], amount, other, TokenAccountState.Frozen, native, delegated, other)

    found = token_account(Account(1, TOKEN, bytes(made)))

    assert found
    assert (found.mint, found.owner, found.amount, found.state) == (str(keys[0]), str(keys[1]), amount, "frozen")
    assert (found.delegate, found.delegated, found.closer) == (other and str(other), delegated, other and str(other))
    assert found.native == native


@given(st.binary(max_size=400), st.sampled_from([TOKEN, TOKEN_2022]))
def test_any_bytes_are_read_as_something_or_nothing(data: bytes, program: Address) -> None:
    account = Account(1, program, data)

    assert mint(account) is None or token_account(account) is None


SAID = {
    "Blockhash not found": "BlockhashNotFound",
    "Too many account locks": "TooManyAccountLocks",
    "Error processing Instruction 2: custom program error: 0x1770": {"InstructionError": [2, {"Custom": 6000}]},
    "Error processing Instruction 0: invalid program argument": {"InstructionError": [0, "InvalidArgument"]},
    "Transaction results in an account (1) with insufficient funds for rent": {
        "InsufficientFundsForRent": {"account_index": 1}
    },
    "Transaction contains a duplicate instruction (3) that is not allowed": {"DuplicateInstruction": 3},
    "[1, 2]": [1, 2],
    "": None,
}


@pytest.mark.parametrize("said", SAID)
def test_errors_are_told_in_words(said: str) -> None:
    assert words(SAID[said]) == said


def test_the_fuse_lets_only_development_clusters_pass() -> None:
    other = clusters.named(Blockhash("So11111111111111111111111111111111111111112"))

    clusters.check(clusters.EMBEDDED, "node.example", allow_real_chains=False)
    clusters.check(other, "127.0.0.1", allow_real_chains=False)
    clusters.check(clusters.MAINNET, "node.example", allow_real_chains=True)
    refused = [(other, "node.example"), *((chain, "127.0.0.1") for chain in clusters.PUBLIC.values())]
    for chain, host in refused:
        with pytest.raises(RealChainRefused):
            clusters.check(chain, host, allow_real_chains=False)


def test_clusters_have_caip_2_names() -> None:
    genesis = Blockhash("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d")

    assert clusters.named(genesis) == clusters.MAINNET == Chain.parse("solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp")
    assert SOL == 10**9
