"""Where pyrevm has no wheel, the exact engine stands in: the same chain, only slower."""

from __future__ import annotations

import subprocess
import sys

WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Blind(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] == "pyrevm" else PathFinder.find_spec(name, path, target)

sys.meta_path[:] = [Blind if finder is PathFinder else finder for finder in sys.meta_path]
from mercato.chains import Call
from mercato.chains.testing import ACCOUNTS, local
chain = local()
receipt = chain.wait(chain.send(Call(ACCOUNTS[0], ACCOUNTS[1], value=5)))
print(chain.exact_gas, receipt.succeeded, receipt.gas_used)
"""


def test_the_embedded_chain_runs_without_pyrevm() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=120, check=False)

    assert done.stdout.split() == ["True", "True", "21000"], done.stderr
