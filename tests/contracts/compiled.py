"""Contracts that only tests need, in `sources`: hostile tokens and the like, compiled when a test asks for one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from build_contracts import compiled

from mercato.chains import Address, Deployed, deploy
from mercato.chains.evm.local import LocalChain
from mercato.chains.testing import ACCOUNTS

SOURCES = Path(__file__).parent / "sources"


@cache
def source(name: str) -> tuple[Any, bytes]:
    """Returns the ABI and the code of one."""
    made = compiled(SOURCES / f"{name}.vy")
    return made["abi"], bytes.fromhex(str(made["bytecode"]))


def hostile(chain: LocalChain, name: str, *args: object, sender: Address = ACCOUNTS[9]) -> Deployed:
    """Deploys one."""
    return deploy(chain, *source(name), *args, sender=sender)
