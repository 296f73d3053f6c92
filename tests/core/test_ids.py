"""Ids carry their kind and time, sort as they were made, and survive no typing error."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.core.ids import EVENTS, JOBS, LETTERS, Kind, decode, encode, made_at

uuids = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))


@given(uuids)
def test_every_uuid_comes_back_from_its_text(value: UUID) -> None:
    assert decode(encode(value)) == value


@given(uuids, uuids)
def test_texts_sort_as_the_numbers_do(a: UUID, b: UUID) -> None:
    assert (encode(a) < encode(b)) == (a.int < b.int)


def test_each_id_of_a_process_is_larger_than_the_one_before() -> None:
    made = [EVENTS.new() for _ in range(5000)]

    assert made == sorted(set(made))


def test_ids_made_by_many_threads_are_all_different() -> None:
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.extend(JOBS.new() for _ in range(500))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made)) == 4000


FORK = """
import os
from mercato.core.ids import EVENTS
EVENTS.new()
here, there = os.pipe()
child = os.fork()
os.write(there, EVENTS.new().encode())
if child:
    os.waitpid(child, 0)
    print(os.read(here, 100).decode())
"""


def test_a_forked_child_makes_other_ids() -> None:
    ran = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True)
    first, second = ran.stdout.strip()[:30], ran.stdout.strip()[30:]

    assert EVENTS.parse(first) != EVENTS.parse(second)


def test_an_id_tells_its_kind_and_when_it_was_made() -> None:
    before = datetime.now(UTC)
    id = JOBS.new()

    assert id.startswith("job_")
    assert len(id) == 30
    assert abs(made_at(id) - before) < timedelta(seconds=5)
    assert (decode(id[4:]).version, decode(id[4:]).variant) == (7, "specified in RFC 4122")


def test_an_id_from_outside_is_taken_as_it_is() -> None:
    id = JOBS.new()

    assert JOBS.parse(id) == id


@pytest.mark.parametrize(
    "text",
    ["", "job", "job_", "evt_01k0a4m8v6f3xr1d9h5w2c7yqz", "job_8zzzzzzzzzzzzzzzzzzzzzzzzz", "job_" + "0" * 26,
     "job_01K0A4M8V6F3XR1D9H5W2C7YQZ", "job_01k0a4m8v6f3xr1d9h5w2c7yq", "job_01k0a4m8v6f3xr1d9h5w2c7yqu"],
)  # fmt: skip
def test_a_text_that_is_no_such_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        JOBS.parse(text)

    assert repr(text.removeprefix("job_")) in caught.value.message or repr(text) in caught.value.message


@given(st.text(max_size=30))
def test_no_other_text_passes_as_an_id(text: str) -> None:
    with pytest.raises(InvalidInput):
        JOBS.parse(text)


@pytest.mark.parametrize("prefix", ["", "j", "JOB", "job_", "j0b", "toolongaprefix"])
def test_a_prefix_is_a_short_word(prefix: str) -> None:
    with pytest.raises(InvalidInput, match="prefix"):
        Kind(prefix, str)


def test_no_letter_looks_like_another() -> None:
    assert not set("ilou") & set(LETTERS)
    assert list(LETTERS) == sorted(LETTERS)
