"""Transactions: signed and read by the standards' vectors and as an independent library does it."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from mercato.chains.addresses import checksum, keccak
from mercato.chains.errors import BadCall
from mercato.chains.model import Address, Call
from mercato.chains.rlp import decode as items
from mercato.chains.rlp import encode
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.chains.transactions import ORDER, decode, recover, unsigned

# The example of EIP-155.
OLD_KEY, OLD_SENDER = b"\x46" * 32, "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"
OLD = {"chainId": 1, "nonce": 9, "gasPrice": 20 * 10**9, "gas": 21_000, "to": "0x" + "35" * 20, "value": 10**18}
OLD_SIGNED = (
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025"
    "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
    "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
)
AMOUNTS = st.integers(0, 2**64)
LISTS = st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.lists(AMOUNTS, max_size=3)), max_size=3)
FIELDS = st.fixed_dictionaries({
    "chainId": st.integers(1, 2**40), "nonce": st.integers(0, 2**32), "gas": st.integers(21_000, 30_000_000),
    "value": AMOUNTS, "data": st.binary(max_size=80), "to": st.none() | st.sampled_from(ACCOUNTS),
})  # fmt: skip
FEES = st.one_of(
    st.fixed_dictionaries({"gasPrice": AMOUNTS}),
    st.fixed_dictionaries({"gasPrice": AMOUNTS, "accessList": LISTS}),
    st.fixed_dictionaries({"maxFeePerGas": AMOUNTS, "maxPriorityFeePerGas": AMOUNTS, "accessList": LISTS}),
)


def test_a_signed_transaction_is_that_of_eip_155() -> None:
    signed = Key(OLD_KEY).transaction(OLD)

    read = decode(signed)

    assert signed.hex() == OLD_SIGNED
    assert (read.kind, read.sender, read.chain_id, read.nonce, read.v) == (0, OLD_SENDER, 1, 9, 37)
    assert (read.to, read.value, read.data, read.gas) == ("0x" + "35" * 20, 10**18, b"", 21_000)
    assert read.max_fee == read.max_tip == 20 * 10**9


def word(slot: int) -> str:
    return f"0x{slot:064x}"


def listed(fees: dict[str, Any], slot: Callable[[int], Any]) -> dict[str, Any]:
    """The access list of some fees, where they have one, its slots written in a way."""
    entries = [
        {"address": "0x" + who.hex(), "storageKeys": [slot(one) for one in slots]}
        for who, slots in fees.get("accessList", ())
    ]
    return {"accessList": entries} if "accessList" in fees else {}


@given(FIELDS, FEES, st.sampled_from(KEYS))
def test_transactions_are_signed_as_another_library_signs_them(
    fields: dict[str, Any], fees: dict[str, Any], key: bytes
) -> None:
    given = {**fields, **fees} | listed(fees, int)
    other = {**given, "to": checksum(given["to"]) if given["to"] else b""} | listed(fees, word)

    signed = Key(key).transaction(given)

    assert signed == bytes(Account.sign_transaction(other, key).raw_transaction)
    read = decode(signed)
    assert read.sender == Key(key).address
    assert (read.nonce, read.to, read.value, read.data) == tuple(
        given[name] for name in ("nonce", "to", "value", "data")
    )
    assert len(read.accesses) == len(fees.get("accessList", ()))


def test_a_transaction_before_eip_155_names_no_chain() -> None:
    body = [0, 1, 21_000, bytes.fromhex(ACCOUNTS[1][2:]), 5, b""]
    signature = Key(KEYS[0]).digest(keccak(encode(body)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")

    read = decode(encode([*body, signature[64], r, s]))

    assert (read.chain_id, read.sender, read.v) == (None, ACCOUNTS[0], signature[64])


def mutated(place: int, value: Any) -> bytes:
    fields = items(bytes.fromhex(OLD_SIGNED))
    fields[place] = value
    return encode(fields)


WRONG = [
    b"", b"\x03" + encode([b""] * 14), b"\x02", b"\x7f\x80", encode([b""] * 8), encode(b"transaction"), b"\xc0",
    mutated(0, b"\x00\x01"), mutated(0, [b"\x01"]), mutated(3, b"\x35" * 19), mutated(4, b"\x01" * 33),
    mutated(6, b"\x1a"), mutated(7, b""), mutated(8, b""), mutated(8, (ORDER - 1).to_bytes(32, "big")),
    mutated(7, ORDER.to_bytes(32, "big")), bytes(200_000), bytes.fromhex(OLD_SIGNED)[:-1],
]  # fmt: skip


@pytest.mark.parametrize("raw", WRONG, ids=range(len(WRONG)))
def test_what_is_no_signed_transaction_is_refused(raw: bytes) -> None:
    with pytest.raises(BadCall):
        decode(raw)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_nothing_else(raw: bytes) -> None:
    for data in (raw, b"\x01" + raw, b"\x02" + raw):
        try:
            read = decode(data)
        except BadCall:
            continue
        assert read.raw == data


@given(st.integers(0, 1), st.integers(0, ORDER), st.integers(0, ORDER))
def test_any_numbers_are_somebodys_signature_or_refused(parity: int, r: int, s: int) -> None:
    try:
        found = recover(b"\x01" * 32, parity, r, s)
    except BadCall:
        return
    assert len(found) == 42


def test_unsigned_transactions_differ_where_anything_differs() -> None:
    call = Call(ACCOUNTS[0], ACCOUNTS[1], b"\x01", 5)
    others = [
        Call(ACCOUNTS[2], ACCOUNTS[1], b"\x01", 5), Call(ACCOUNTS[0], None, b"\x01", 5),
        Call(ACCOUNTS[0], ACCOUNTS[1], b"\x02", 5), Call(ACCOUNTS[0], ACCOUNTS[1], b"\x01", 6),
    ]  # fmt: skip

    hashes = [unsigned(item, 31337, 0, 100).hash for item in (call, *others)]
    hashes += [unsigned(call, 1, 0, 100).hash, unsigned(call, 31337, 1, 100).hash, unsigned(call, 31337, 0, 101).hash]

    assert len(set(hashes)) == 8
    assert Address(unsigned(call, 31337, 0, 100).sender) == ACCOUNTS[0]
