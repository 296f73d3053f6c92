"""Python recurses deeply for the exact engine only, and only while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from mercato.chains import Call
from mercato.chains.evm.depth import DEEP, deep
from mercato.chains.testing import ACCOUNTS, local

# A contract that calls itself with all its gas: ADDRESS's code runs until the EVM's limit of nested calls.
LOOP = "5f5f5f5f5f305af1" + "00"
CREATE = bytes.fromhex("6009600c60003960096000f3" + LOOP)
FRESH = """
import sys, json
from mercato.chains.testing import local
usual = sys.getrecursionlimit()
chain = local("py-evm")
assert sys.getrecursionlimit() == usual, sys.getrecursionlimit()
try:
    json.loads("[" * 200_000)
except RecursionError:
    print("refused")
"""


def test_the_exact_engine_leaves_the_limit_as_it_was() -> None:
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, timeout=120, check=False)

    assert (done.returncode, done.stdout.strip()) == (0, "refused"), done.stderr


def test_calls_nest_as_deeply_as_the_evm_allows() -> None:
    usual = sys.getrecursionlimit()
    chain = local("py-evm")
    made = chain.wait(chain.send(Call(ACCOUNTS[0], None, CREATE))).created

    receipt = chain.wait(chain.send(Call(ACCOUNTS[0], made, gas=25_000_000)))

    assert receipt.succeeded
    assert sys.getrecursionlimit() == usual


def test_the_last_one_out_restores_the_limit() -> None:
    usual = sys.getrecursionlimit()

    def inside(_: int) -> int:
        with deep():
            return sys.getrecursionlimit()

    with ThreadPoolExecutor(4) as pool:
        seen = set(pool.map(inside, range(100)))

    assert min(seen) >= DEEP
    assert sys.getrecursionlimit() == usual
    with pytest.raises(RecursionError):
        json.loads("[" * 200_000)
