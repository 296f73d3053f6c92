"""Arguments, answers, events and reasons by an ABI: the specification's vectors, and there and back."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given
from hypothesis import strategies as st

from mercato.chains import Hash, Interface, Log, keccak
from mercato.chains.abi import reason
from mercato.chains.errors import BadAnswer, BadCall
from mercato.chains.model import ZERO
from mercato.chains.testing import ACCOUNTS


def function(name: str, *kinds: str, gives: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "function", "name": name,
        "inputs": [{"name": f"a{place}", "type": kind} for place, kind in enumerate(kinds)],
        "outputs": [{"type": kind} for kind in gives],
    }  # fmt: skip


PERSON = {"name": "person", "type": "tuple", "components": [
    {"name": "who", "type": "address"}, {"name": "ages", "type": "uint8[]"},
    {"name": "home", "type": "tuple", "components": [{"name": "street", "type": "string"}]},
]}  # fmt: skip
MET = {"type": "event", "name": "Met", "inputs": [
    {"name": "who", "type": "address", "indexed": True}, {"name": "words", "type": "string", "indexed": False},
    {"name": "tale", "type": "string", "indexed": True}, {"name": "number", "type": "int256", "indexed": True},
]}  # fmt: skip
ABI = [
    function("baz", "uint32", "bool"),
    function("bar", "bytes3[2]"),
    function("sam", "bytes", "bool", "uint256[]"),
    function("f", "uint256", "uint32[]", "bytes10", "bytes"),
    function("bid", "uint256", gives=("bool",)),
    function("bid", "uint256", "uint256", gives=("uint256", "address")),
    function("put", "uint256"),
    function("put", "address"),
    {"type": "function", "name": "greet", "inputs": [PERSON], "outputs": [{**PERSON, "type": "tuple[]"}]},
    {"type": "constructor", "inputs": [{"name": "start", "type": "uint256"}]},
    {"type": "error", "name": "Short", "inputs": [{"name": "by", "type": "uint256"}, {"name": "of", "type": "string"}]},
    MET,
]
FACE = Interface(ABI)
WORD = "00" * 31
# The examples of the ABI specification.
EXAMPLES: list[tuple[str, tuple[Any, ...], str]] = [
    ("baz", (69, True), "cdcd77c0" + WORD + "45" + WORD + "01"),
    ("bar", ([b"abc", b"def"],), "fce353f6" + "616263" + "00" * 29 + "646566" + "00" * 29),
    ("sam", (b"dave", True, [1, 2, 3]), "a5643bf2" + WORD + "60" + WORD + "01" + WORD + "a0" + WORD + "04" + "64617665"
     + "00" * 28 + WORD + "03" + WORD + "01" + WORD + "02" + WORD + "03"),
    ("f", (0x123, [0x456, 0x789], b"1234567890", b"Hello, world!"), "8be65246" + "00" * 30 + "0123" + WORD + "80"
     + "31323334353637383930" + "00" * 22 + WORD + "e0" + WORD + "02" + "00" * 30 + "0456" + "00" * 30 + "0789"
     + WORD + "0d" + "48656c6c6f2c20776f726c6421" + "00" * 19),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "data"), EXAMPLES)
def test_calls_are_written_as_the_specification_says(name: str, args: tuple[Any, ...], data: str) -> None:
    assert FACE.encode(name, *args).hex() == data
    signature, found = FACE.arguments(bytes.fromhex(data))
    assert signature.startswith(f"{name}(")
    assert [list(value) if isinstance(value, tuple) else value for value in found.values()] == list(args)


def test_overloads_are_told_apart_by_count_or_by_their_full_name() -> None:
    assert FACE.encode("bid", 1)[:4] == FACE.encode("bid(uint256)", 1)[:4] == keccak(b"bid(uint256)")[:4]
    assert FACE.encode("bid", 1, 2)[:4] == keccak(b"bid(uint256,uint256)")[:4]
    assert FACE.encode("put(address)", ACCOUNTS[0])[:4] == keccak(b"put(address)")[:4]
    with pytest.raises(BadCall, match="of which there are several"):
        FACE.encode("put", 1)
    assert FACE.decode("bid", encode(["bool"], [True]), 1) is True
    assert FACE.decode("bid", encode(["uint256", "address"], [7, ACCOUNTS[1]]), 2) == (7, ACCOUNTS[1])
    with pytest.raises(BadCall, match="of which there are several"):
        FACE.decode("bid", bytes(32))


def test_structs_go_in_by_name_or_by_place_and_come_out_by_place() -> None:
    named = {"home": {"street": "Via"}, "ages": [1, 2], "who": ACCOUNTS[0]}
    placed = (ACCOUNTS[0], (1, 2), ("Via",))

    data = FACE.encode("greet", named)

    assert data == FACE.encode("greet", placed)
    assert FACE.arguments(data)[1] == {"person": placed}
    kind = "(address,uint8[],(string))"
    assert FACE.decode("greet", encode([f"{kind}[]"], [[placed, placed]])) == (placed, placed)
    with pytest.raises(BadCall, match=r"members of a struct were \['who'\]"):
        FACE.encode("greet", {"who": ACCOUNTS[0]})


WRONG: list[tuple[str, tuple[Any, ...]]] = [
    ("nothing", ()), ("baz", (1,)), ("baz", (1, True, 2)), ("baz", (-1, True)), ("baz", (2**32, True)),
    ("baz", ("1", True)), ("baz", (1.0, True)), ("bar", ([b"abc"],)), ("bar", ([b"abcd", b"abc"],)),
    ("put(address)", ("0x12",)), ("put(address)", (5,)), ("greet", ((ACCOUNTS[0], (1,)),)), ("greet", (None,)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), WRONG, ids=str)
def test_arguments_that_do_not_fit_are_refused(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(BadCall, match=r" (was|were) "):
        FACE.encode(name, *args)


def test_an_answer_that_does_not_fit_is_no_answer() -> None:
    for data in (b"", b"\x01", b"\x02" * 32):
        with pytest.raises(BadAnswer, match=r"answer of bid\(uint256\)"):
            FACE.decode("bid", data, 1)
    with pytest.raises(BadCall, match="call data begins with 0xffffffff"):
        FACE.arguments(b"\xff" * 36)


def test_a_constructors_arguments_follow_the_code() -> None:
    assert FACE.construct(b"\xfe", 5) == b"\xfe" + bytes(31) + b"\x05"
    assert Interface([]).construct(b"\xfe") == b"\xfe"
    with pytest.raises(BadCall, match="number of arguments was 0"):
        FACE.construct(b"\xfe")


def log(*topics: bytes, data: bytes = b"") -> Log:
    return Log(ZERO, topics, data, 1, Hash("0x"), Hash("0x"), 0)


def test_events_come_out_of_logs_by_name() -> None:
    who, tale, number = (
        bytes(12) + bytes.fromhex(ACCOUNTS[0][2:]),
        keccak(b"long ago"),
        (-3).to_bytes(32, "big", signed=True),
    )
    found = FACE.event(log(FACE.topic("Met"), who, tale, number, data=encode(["string"], ["hello"])))

    assert found is not None
    assert (found.name, list(found.values)) == ("Met", ["who", "words", "tale", "number"])
    assert found.values == {"who": ACCOUNTS[0], "words": "hello", "tale": tale, "number": -3}
    assert (
        FACE.topic("Met")
        == FACE.topic("Met(address,string,string,int256)")
        == keccak(b"Met(address,string,string,int256)")
    )


def test_logs_of_others_are_no_events() -> None:
    assert FACE.event(log()) is None
    assert FACE.event(log(keccak(b"Other()"))) is None
    assert FACE.event(log(FACE.topic("Met"), bytes(32))) is None
    with pytest.raises(BadCall, match="event was 'Other'"):
        FACE.topic("Other")


def test_reasons_are_put_into_words() -> None:
    selector = keccak(b"Short(uint256,string)")[:4]

    assert FACE.reason(selector + encode(["uint256", "string"], [3, "wei"])) == "Short(3, 'wei')"
    assert FACE.reason(Interface([function("Error", "string")]).encode("Error", "module: reason")) == "module: reason"
    assert reason(selector + bytes(64)) == f"custom error 0x{selector.hex()}"


@given(st.binary(max_size=200))
def test_whatever_a_contract_returns_gives_some_reason(data: bytes) -> None:
    for start in (b"", b"\x08\xc3\x79\xa0", b"\x4e\x48\x7b\x71"):
        assert isinstance(reason(start + data), str)


KINDS = {
    "uint256": st.integers(0, 2**256 - 1), "int128": st.integers(-(2**127), 2**127 - 1), "bool": st.booleans(),
    "address": st.sampled_from(ACCOUNTS), "bytes32": st.binary(min_size=32, max_size=32),
    "bytes": st.binary(max_size=70), "string": st.text(st.characters(codec="utf-8"), max_size=40),
    "uint16[]": st.lists(st.integers(0, 65535), max_size=4),
}  # fmt: skip


@given(st.data())
def test_what_goes_in_comes_out(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    values = [data.draw(KINDS[kind]) for kind in kinds]
    face = Interface([function("any", *kinds, gives=tuple(kinds))])

    written = face.encode("any", *values)

    assert decode(kinds, written[4:]) == tuple(tuple(one) if isinstance(one, list) else one for one in values)
    found = face.decode("any", written[4:])
    assert (found if len(kinds) > 1 else (found,)) == decode(kinds, written[4:])
    assert tuple(face.arguments(written)[1].values()) == decode(kinds, written[4:])
