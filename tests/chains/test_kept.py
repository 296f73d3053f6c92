from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.chains import Call
from mercato.chains.errors import Diverged
from mercato.chains.evm.kept import KeptChain
from mercato.chains.testing import ACCOUNTS
from mercato.core.errors import Conflict

ONE, TWO = ACCOUNTS[:2]
# PUSH1 0 SLOAD PUSH1 1 ADD PUSH1 0 SSTORE, then a log: every call counts one up, so order and state show in the hash.
COUNTER = bytes.fromhex("600054600101600055600080a0")
CREATE = bytes.fromhex("600d80600b6000396000f3") + COUNTER
VICTIM = """
import sys
from pathlib import Path
from mercato.chains import Call
from mercato.chains.evm.kept import KeptChain
from mercato.chains.testing import ACCOUNTS
chain = KeptChain(Path(sys.argv[1]))
while True:
    chain.send(Call(ACCOUNTS[0], ACCOUNTS[1], b"x" * 2000, gas=100_000))
    print(chain.block().number, chain.block().hash, flush=True)
"""


def used(chain: KeptChain) -> str:
    """Uses a chain in every way that changes it, and returns its newest hash."""
    chain.fund(ONE, 10**20)
    chain.send(Call(ONE, None, CREATE))
    made = chain.receipt(chain.block().transactions[0])
    assert made is not None
    chain.send(Call(ONE, made.created, b"", 0))
    mark = chain.snapshot()
    chain.fund(TWO, 5)
    chain.send(Call(ONE, TWO, b"", 7))
    chain.revert(mark)
    chain.automine = False
    for _ in range(3):
        chain.send(Call(TWO, made.created, b"", 0, 100_000))
        chain.call(Call(ONE, made.created))
    chain.mine(2, seconds=600)
    return chain.block().hash


def test_a_chain_that_is_opened_again_is_the_same_and_goes_on(tmp_path: Path) -> None:
    first = KeptChain(tmp_path / "chain.jsonl")
    left = used(first)
    time = first.time()
    first.close()
    again = KeptChain(tmp_path / "chain.jsonl", start=5)

    assert (again.block().hash, again.time()) == (left, time)
    assert (again.balance(ONE), again.balance(TWO)) == (10**20, 0)
    assert (again.nonce(ONE), again.nonce(TWO)) == (2, 3)

    again.send(Call(ONE, TWO, b"", 1))
    again.close()
    third = KeptChain(tmp_path / "chain.jsonl")

    assert (third.balance(TWO), third.block().parent) == (1, left)
    third.close()


def test_what_was_taken_back_does_not_return(tmp_path: Path) -> None:
    chain = KeptChain(tmp_path / "chain.jsonl")
    outer = chain.snapshot()
    chain.fund(ONE, 9)
    inner = chain.snapshot()
    chain.mine(3)
    chain.revert(inner)
    chain.revert(outer)
    chain.mine()
    chain.close()
    again = KeptChain(tmp_path / "chain.jsonl")

    assert (again.block().number, again.balance(ONE)) == (1, 0)
    again.close()


@given(st.integers(0, 3000))
@settings(max_examples=25)
def test_a_journal_cut_anywhere_opens_as_the_chain_that_it_still_tells(tmp_path_factory: Any, cut: int) -> None:
    folder = tmp_path_factory.mktemp("cut")
    chain = KeptChain(folder / "chain.jsonl")
    used(chain)
    genesis = chain.block(0).hash
    chain.close()
    whole = (folder / "chain.jsonl").read_bytes()
    made = {json.loads(line).get("hash", genesis) for line in whole.splitlines()}
    (folder / "chain.jsonl").write_bytes(whole[: max(40, cut)])
    again = KeptChain(folder / "chain.jsonl")
    newest = again.block()
    again.mine()
    again.close()
    third = KeptChain(folder / "chain.jsonl")

    assert newest.hash in made
    assert third.block().parent == newest.hash
    third.close()


def test_a_process_that_is_killed_leaves_every_block_that_it_told_of(tmp_path: Path) -> None:
    path = tmp_path / "chain.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(path)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as victim:
        assert victim.stdout is not None
        told = [victim.stdout.readline().split() for _ in range(40)]
        time.sleep(0.05)
        victim.send_signal(signal.SIGKILL)
    again = KeptChain(path)

    assert [again.block(int(number)).hash for number, _ in told] == [digest for _, digest in told]
    again.close()


@pytest.mark.parametrize("wrong", [{"hash": "0x00"}, {"time": 1_900_000_000}])
def test_a_journal_that_was_altered_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    path = tmp_path / "chain.jsonl"
    chain = KeptChain(path)
    chain.mine()
    chain.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines[:-1], lines[-1] | wrong]))

    with pytest.raises(Diverged, match="block 1 was"):
        KeptChain(path)


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "chain.jsonl").write_text('{"start": 1}\nnonsense\n')

    with pytest.raises(Diverged, match=r"line 2 of chain.jsonl was no JSON"):
        KeptChain(tmp_path / "chain.jsonl")


def test_two_processes_never_write_one_journal(tmp_path: Path) -> None:
    chain = KeptChain(tmp_path / "chain.jsonl")

    with pytest.raises(Conflict, match="another process holds"):
        KeptChain(tmp_path / "chain.jsonl")
    chain.close()
