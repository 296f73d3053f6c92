"""EIP-712 by the example of the standard, and as another library hashes it."""

from typing import Any

import pytest
from eth_account._utils.encode_typed_data.encoding_and_hashing import hash_domain, hash_eip712_message
from hypothesis import given
from hypothesis import strategies as st

from mercato.chains.addresses import keccak
from mercato.chains.errors import BadCall
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS
from mercato.chains.typed import digest, encode_type, separator

# The example of EIP-712.
MAIL: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"}, {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"}, {"name": "to", "type": "Person"}, {"name": "contents", "type": "string"}
        ],
    },
    "primaryType": "Mail",
    "domain": {
        "name": "Ether Mail", "version": "1", "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}  # fmt: skip
TYPES: dict[str, Any] = {
    "Leaf": [{"name": "on", "type": "bool"}, {"name": "raw", "type": "bytes"}, {"name": "word", "type": "bytes32"}],
    "Tree": [
        {"name": "leaves", "type": "Leaf[]"}, {"name": "grid", "type": "uint256[2][]"},
        {"name": "by", "type": "address"}, {"name": "depth", "type": "int64"}, {"name": "names", "type": "string[]"},
    ],
}  # fmt: skip
LEAVES = st.fixed_dictionaries({
    "on": st.booleans(), "raw": st.binary(max_size=40), "word": st.binary(min_size=32, max_size=32),
})  # fmt: skip
WORDS = st.integers(0, 2**256 - 1)
TREES = st.fixed_dictionaries({
    "leaves": st.lists(LEAVES, max_size=3), "grid": st.lists(st.lists(WORDS, min_size=2, max_size=2), max_size=3),
    "by": st.sampled_from(ACCOUNTS), "depth": st.integers(-(2**63), 2**63 - 1),
    "names": st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3),
})  # fmt: skip


def test_the_standards_example_gives_its_digest_and_signature() -> None:
    key = Key(keccak(b"cow"))

    assert encode_type("Mail", MAIL["types"]) == (
        "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    )
    assert separator(MAIL["domain"]).hex() == "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    assert digest(MAIL).hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    assert key.digest(digest(MAIL)).hex() == (
        "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
        "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"
    )


@given(TREES, st.integers(1, 2**64))
def test_data_is_hashed_as_another_library_hashes_it(tree: dict[str, Any], chain_id: int) -> None:
    domain = {"name": "Forest", "chainId": chain_id}

    found = digest({"domain": domain, "types": TYPES, "primaryType": "Tree", "message": tree})

    assert found == keccak(b"\x19\x01" + hash_domain(domain) + hash_eip712_message(TYPES, tree))


def test_numbers_may_come_as_text_as_wallets_send_them() -> None:
    types = {"Bid": [{"name": "amount", "type": "uint256"}]}

    def found(amount: object) -> bytes:
        return digest({"domain": {}, "types": types, "primaryType": "Bid", "message": {"amount": amount}})

    assert found(255) == found("255") == found("0xff")


def changed(**parts: Any) -> dict[str, Any]:
    return {**MAIL, **parts}


CYCLE = {"Loop": [{"name": "next", "type": "Loop"}]}
DEEP: dict[str, Any] = {}
DEEP["next"] = DEEP
WRONG = [
    {}, changed(primaryType="Letter"), changed(message={}), changed(message=None), changed(domain={"owner": "me"}),
    changed(message={**MAIL["message"], "to": "Bob"}), changed(types=CYCLE, primaryType="Loop", message=DEEP),
    changed(types={"Mail": [{"name": "contents", "type": "uint256"}]}),
    changed(types={"Mail": [{"name": "contents", "type": "bytes"}]}),
    changed(types={"Mail": [{"name": "contents", "type": "string[]"}]}),
    changed(types={"Mail": [{"name": "contents", "type": "nothing"}]}),
    changed(domain={"chainId": "one"}), changed(domain={"chainId": -1}),
]  # fmt: skip


@pytest.mark.parametrize("data", WRONG, ids=range(len(WRONG)))
def test_data_that_does_not_fit_its_types_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(BadCall):
        digest(data)
