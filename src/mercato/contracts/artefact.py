"""What the build made of the Vyper sources: one JSON file per contract, read when it is asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mercato.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract: its ABI as JSON values, the code that creates it and the code that then runs.

    `source` is the SHA-256 of its Vyper sources, `compiler` the exact version that made it.
    """

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    runtime: bytes
    source: str
    compiler: str

    @property
    def blueprint(self) -> bytes:
        """The code that deploys `bytecode` as a blueprint (ERC-5202), from which a factory creates contracts.

        A blueprint begins with 0xfe7100, so it can never run; its code offset is 3.
        """
        stored = b"\xfe\x71\x00" + self.bytecode
        return b"\x61" + len(stored).to_bytes(2, "big") + bytes.fromhex("3d81600a3d39f3") + stored


def names() -> tuple[str, ...]:
    """Returns the names of all contracts that were built."""
    folder = files("mercato.contracts") / "artifacts"
    return tuple(sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json")))


@cache
def load(name: str) -> Artifact:
    """Returns a compiled contract by its file name, such as `auction`; NotFound for any other."""
    item = files("mercato.contracts") / "artifacts" / f"{name}.json"
    if not item.is_file():
        raise NotFound(f"contract was {name!r}", hint="run `python build_contracts.py`, or look at contracts.names()")
    made = json.loads(item.read_text(encoding="utf-8"))
    return Artifact(
        name, tuple(made["abi"]), bytes.fromhex(made["bytecode"]), bytes.fromhex(made["runtime"]),
        made["source"], made["compiler"],
    )  # fmt: skip
