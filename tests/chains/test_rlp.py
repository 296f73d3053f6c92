"""RLP by the examples of its specification, there and back, and strict on the way back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.chains import rlp
from mercato.chains.errors import BadCall

EXAMPLES: list[tuple[Any, str]] = [
    (b"dog", "83646f67"),
    ([b"cat", b"dog"], "c88363617483646f67"),
    (b"", "80"),
    ([], "c0"),
    (0, "80"),
    (b"\x00", "00"),
    (15, "0f"),
    (1024, "820400"),
    ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
    (b"a" * 56, "b838" + "61" * 56),
    ([b"a" * 60], "f83eb83c" + "61" * 60),
]
WRONG = [
    "", "83646f", "8100", "817f", "b800", "b837" + "61" * 55, "b90037" + "61" * 55, "c0c0", "00ff", "f800",
    "c883636174", "ff" + "ff" * 8, "c1" * 20 + "c0", "bfffffffffffffffff",
]  # fmt: skip
ITEMS = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=6), max_leaves=20)


@pytest.mark.parametrize(("item", "written"), EXAMPLES)
def test_items_are_written_as_the_specification_says(item: Any, written: str) -> None:
    assert rlp.encode(item).hex() == written


@given(ITEMS)
def test_what_is_written_reads_the_same(item: Any) -> None:
    assert rlp.decode(rlp.encode(item)) == item


@pytest.mark.parametrize("data", WRONG)
def test_what_is_not_one_item_in_its_shortest_form_is_refused(data: str) -> None:
    with pytest.raises(BadCall, match="RLP was"):
        rlp.decode(bytes.fromhex(data))


@given(st.binary(max_size=64))
def test_any_bytes_are_either_refused_or_read_exactly(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except BadCall:
        return
    assert rlp.encode(item) == data
