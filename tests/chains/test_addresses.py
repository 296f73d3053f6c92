"""Addresses by the vectors of their standards."""

import pytest

from mercato.chains.addresses import address, checksum, create2_address, create_address, keccak
from mercato.chains.errors import BadCall
from mercato.chains.model import Address

# The examples of EIP-55.
MIXED = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
# The examples of EIP-1014: factory, salt, creating code, contract.
SALTED = [
    ("00" * 20, "00" * 32, "00", "4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38"),
    ("deadbeef" + "00" * 16, "00" * 32, "00", "b928f69bb1d91cd65274e3c79d8986362984fda3"),
    ("deadbeef" + "00" * 16, "00" * 12 + "feed" + "00" * 18, "00", "d04116cdd17bebe565eb2422f2497e06cc1c9833"),
    ("00" * 20, "00" * 32, "deadbeef", "70f2b2914a2a4b783faefb75f459a580616fcb5e"),
    ("00000000000000000000000000000000deadbeef", "00" * 28 + "cafebabe", "deadbeef",
     "60f3f640a8508fc6a86d45df051962668e1e8ac7"),
    ("00000000000000000000000000000000deadbeef", "00" * 28 + "cafebabe", "deadbeef" * 11,
     "1d8bfdc5d46dc4f61d6b6115972536ebe6a8854c"),
    ("00" * 20, "00" * 32, "", "e33c0c7f7df4809055c3eba6c09cfe4baf1bd9e0"),
]  # fmt: skip


def test_keccak_is_ethereums_and_not_sha3() -> None:
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


@pytest.mark.parametrize("text", MIXED)
def test_the_case_of_an_address_carries_its_checksum(text: str) -> None:
    assert address(text) == text.lower()
    assert checksum(address(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "0x", MIXED[2][:-1], MIXED[2] + "0", MIXED[2][2:], MIXED[2][:-1] + "D", "0x" + "g" * 40, MIXED[2] + "\n"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadCall, match="address was"):
        address(text)


def test_an_address_without_checksum_may_be_shouted() -> None:
    assert address("0X" + "AB" * 20) == "0x" + "ab" * 20


@pytest.mark.parametrize(("factory", "salt", "code", "contract"), SALTED)
def test_create2_puts_contracts_where_eip_1014_says(factory: str, salt: str, code: str, contract: str) -> None:
    found = create2_address(Address("0x" + factory), bytes.fromhex(salt), bytes.fromhex(code))

    assert found == "0x" + contract


def test_a_salt_has_32_bytes() -> None:
    with pytest.raises(BadCall, match="salt was b'x'"):
        create2_address(Address("0x" + "00" * 20), b"x", b"")


@pytest.mark.parametrize(
    ("nonce", "contract"),
    [
        (0, "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"),
        (1, "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8"),
        (2, "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91"),
        (3, "0xfffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c"),
    ],
)
def test_create_puts_contracts_where_sender_and_nonce_say(nonce: int, contract: str) -> None:
    assert create_address(Address("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"), nonce) == contract
