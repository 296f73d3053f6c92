"""The record of what was deployed to a chain: `deployments/<chain>.toml`, written after every step.

It names what was made of which sources, so that a half finished set is continued and a finished one can be checked.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mercato.chains.model import Address, Hash
from mercato.core.errors import Conflict, InvalidInput

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_HASH = re.compile(r"0x[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pending:
    """A creation that was sent or is about to be: its step, the address that it will have, and the sender's nonce."""

    step: str
    address: Address
    nonce: int


@dataclass(frozen=True, slots=True)
class Record:
    """What stands where on a chain, `sources` by the SHA-256 of each contract's source, and what was under way.

    `genesis` is the hash of the chain's first block: a development chain that was started anew is another chain.
    """

    chain: str
    genesis: Hash
    deployer: Address
    block: int
    settings: Mapping[str, str]
    contracts: Mapping[str, Address] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    pending: Pending | None = None


def place(folder: Path, chain: str) -> Path:
    """Returns the file of a chain's record in a folder of records."""
    return folder / f"{chain.replace(':', '-')}.toml"


def write(path: Path, record: Record) -> None:
    """Replaces the record as a whole, so that a kill leaves the old one or the new one."""
    lines = [
        "# Written by `mercato launch deploy` after every step; running it again goes on from here.",
        f'chain = "{record.chain}"',
        f'genesis = "{record.genesis}"',
        f'deployer = "{record.deployer}"',
        f"block = {record.block}",
    ]
    tables: dict[str, Mapping[str, object]] = {
        "settings": record.settings,
        "contracts": record.contracts,
        "sources": record.sources,
    }
    if record.pending:
        held = record.pending
        tables["pending"] = {"step": held.step, "address": held.address, "nonce": held.nonce}
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_written(value)}" for key, value in table.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    with fresh.open("w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)


def read(path: Path) -> Record | None:
    """Returns the record in a file; None where there is no such file, InvalidInput where it is no record."""
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"deployment record {path} was not readable: {error}", hint="mend or remove it") from None
    try:
        return _record(body)
    except (KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise InvalidInput(f"deployment record {path} was wrong at {error}", hint="mend or remove it") from None


def belongs(record: Record, chain: str, genesis: Hash) -> None:
    """Raises Conflict where a record is another chain's, or of a development chain that was started anew since."""
    if record.chain != chain:
        raise Conflict(f"record is of {record.chain!r}, the chain is {chain!r}", hint="name another file")
    if record.genesis != genesis:
        raise Conflict(
            f"record is of the chain that began with {record.genesis}, this one began with {genesis}",
            hint="the chain was started anew: remove the record",
        )


def _record(body: Mapping[str, object]) -> Record:
    contracts, sources, settings = (_texts(body, name) for name in ("contracts", "sources", "settings"))
    waiting = body.get("pending")
    pending = None
    if isinstance(waiting, dict):
        pending = Pending(str(waiting["step"]), _address(waiting["address"]), int(waiting["nonce"]))
    genesis, block = str(body["genesis"]), body["block"]
    if not _HASH.fullmatch(genesis) or not isinstance(block, int):
        raise InvalidInput(f"genesis {genesis!r} and block {block!r}")
    return Record(
        str(body["chain"]), Hash(genesis), _address(body["deployer"]), block, settings,
        {name: _address(text) for name, text in contracts.items()}, sources, pending,
    )  # fmt: skip


def _texts(body: Mapping[str, object], name: str) -> dict[str, str]:
    found = body[name]
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidInput(f"[{name}]")
    return found


def _address(text: object) -> Address:
    if not _ADDRESS.fullmatch(str(text)):
        raise InvalidInput(f"address {text!r}")
    return Address(str(text))


def _written(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
