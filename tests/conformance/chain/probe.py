"""The contract that every chain is asked with, compiled once per test process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from mercato.chains import Address, Chain, Deployed, deploy
from mercato.chains.testing import ACCOUNTS

SOURCE = Path(__file__).parents[2] / "contracts" / "sources" / "probe.vy"


@cache
def compiled() -> dict[str, Any]:
    from vyper import compile_code

    return compile_code(SOURCE.read_text(), output_formats=["abi", "bytecode", "bytecode_runtime"])  # type: ignore[no-any-return]  # the compiler has no types


def code(name: str = "bytecode") -> bytes:
    return bytes.fromhex(compiled()[name].removeprefix("0x"))


def probe(chain: Chain, start: int = 0, *, sender: Address = ACCOUNTS[0]) -> Deployed:
    return deploy(chain, compiled()["abi"], code(), start, sender=sender)
