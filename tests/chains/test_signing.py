"""Keys sign what they should, say who they are, and never show themselves."""

import logging
import pickle
import traceback
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given
from hypothesis import strategies as st

from mercato.chains.addresses import keccak
from mercato.chains.errors import BadCall
from mercato.chains.model import Address
from mercato.chains.signing import Key, personal, signed_by, unsigned
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.chains.transactions import ORDER
from mercato.core.settings import Secret


def test_the_shared_accounts_are_those_of_the_shared_keys() -> None:
    assert tuple(Key(key).address for key in KEYS) == ACCOUNTS


@given(st.binary(max_size=200), st.sampled_from(KEYS))
def test_messages_are_signed_as_another_library_signs_them(message: bytes, key: bytes) -> None:
    signature = Key(key).digest(personal(message))

    assert signature == bytes(Account.sign_message(encode_defunct(message), key).signature)
    assert signed_by(personal(message), signature) == Key(key).address


@pytest.mark.parametrize("price", [{"maxFeePerGas": 7}, {"gasPrice": 7}, {"gasPrice": 7, "accessList": []}])
def test_what_is_to_be_signed_elsewhere_gives_the_same_transaction(price: dict[str, object]) -> None:
    fields = {"chainId": 31337, "nonce": 3, "gas": 21_000, "to": ACCOUNTS[1], "value": 5, "data": b"\1", **price}
    signed = Account.unsafe_sign_hash(keccak(unsigned(fields, ACCOUNTS[0])), KEYS[0])
    raw = Key(KEYS[0]).transaction(fields)

    assert raw.endswith(signed.r.to_bytes(32, "big") + b"\xa0" + signed.s.to_bytes(32, "big"))


def test_a_signature_may_count_its_parity_from_0_or_from_27() -> None:
    digest = personal(b"hello")
    signature = Key(KEYS[0]).digest(digest)

    assert signed_by(digest, signature[:64] + bytes([signature[64] - 27])) == ACCOUNTS[0]


@pytest.mark.parametrize("end", [b"", b"\x02", b"\x1a", b"\x1d", b"\xff", b"\x1b\x1b"])
def test_what_has_not_the_form_of_a_signature_is_refused(end: bytes) -> None:
    with pytest.raises(BadCall, match="signature was"):
        signed_by(personal(b"hello"), Key(KEYS[0]).digest(personal(b"hello"))[:64] + end)


def test_the_twin_of_a_signature_is_refused() -> None:
    digest = personal(b"hello")
    signature = Key(KEYS[0]).digest(digest)
    s = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])

    with pytest.raises(BadCall, match="low s"):
        signed_by(digest, twin)


def test_another_message_was_signed_by_nobody_known() -> None:
    assert signed_by(personal(b"hullo"), Key(KEYS[0]).digest(personal(b"hello"))) != ACCOUNTS[0]


@pytest.mark.parametrize("number", [b"", bytes(32), b"\x01" * 31, ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_what_is_no_key_is_refused_without_being_shown(number: bytes) -> None:
    for secret in (number, Secret(number.hex())):
        with pytest.raises(BadCall) as refused:
            Key(secret)
        assert len(number) < 2 or number.hex() not in str(refused.value)


def test_a_key_comes_from_a_secret_with_or_without_its_mark() -> None:
    assert Key(Secret("0x" + KEYS[3].hex())).address == Key(Secret(KEYS[3].hex())).address == ACCOUNTS[3]
    with pytest.raises(BadCall, match="key was not a number"):
        Key(Secret("not hexadecimal"))


def test_fresh_keys_differ() -> None:
    assert len({Key.new().address for _ in range(20)}) == 20


def told(key: Key) -> str:
    """All that printing, logging, and an error on the way could say of a key."""
    record = logging.LogRecord("mercato", logging.INFO, "", 0, "signs with %s %r", (key, key), None)
    try:
        key.transaction({"chainId": 1, "nonce": 0, "gas": "many", "maxFeePerGas": 0})
    except BadCall as error:
        found = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return f"{key} {key!r} {record.getMessage()} {found} {[key]} {dir(key)}"


def test_a_key_never_shows_itself() -> None:
    text = told(Key(KEYS[0])).lower()

    assert ACCOUNTS[0] in text
    assert KEYS[0].hex() not in text
    assert str(int.from_bytes(KEYS[0], "big")) not in text
    assert repr(KEYS[0]).lower() not in text


def test_a_key_is_not_pickled() -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Key(KEYS[0]))


GOOD: dict[str, Any] = {"chainId": 31337, "nonce": 0, "gas": 21_000, "maxFeePerGas": 1, "to": ACCOUNTS[1], "value": 1}
WRONG: list[dict[str, Any]] = [
    {"gass": 1}, {"type": 3}, {"nonce": -1}, {"nonce": True}, {"nonce": 1.0}, {"nonce": "0xzz"}, {"nonce": "7"},
    {"chainId": None}, {"value": 2**256}, {"data": "0x0"}, {"data": 3.5}, {"to": "0x12"}, {"from": ACCOUNTS[1]},
    {"type": 0}, {"gas": None},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_fields_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadCall):
        Key(KEYS[0]).transaction({**GOOD, **change})


def test_numbers_may_be_written_as_in_json_rpc() -> None:
    written = {name: hex(value) if isinstance(value, int) else value for name, value in GOOD.items()}

    assert Key(KEYS[0]).transaction({**written, "type": "0x2"}) == Key(KEYS[0]).transaction(GOOD)
    assert Key(KEYS[0]).transaction({**GOOD, "from": ACCOUNTS[0], "input": "0x"}) == Key(KEYS[0]).transaction(GOOD)


def test_only_digests_are_signed() -> None:
    with pytest.raises(BadCall, match="digest was 5 bytes long"):
        Key(KEYS[0]).digest(b"hello")
    assert isinstance(Key(KEYS[0]).address, str)
    assert Address(Key(KEYS[0]).address) == ACCOUNTS[0]
