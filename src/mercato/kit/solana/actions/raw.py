"""Anything else on a cluster: instructions of any programs, as one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mercato.chains.solana.model import Instruction, Meta
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.solana.actions.reading import named, one
from mercato.kit.solana.plan import Ground, SolanaPlan, plan

ACTIONS = Catalogue()
STEPS, TABLES, ACCOUNTS = 16, 8, 64
PRICE = Argument("price", "units", "Micro-lamports for each unit of computing; left out, the kit's setting.",
                 optional=True)  # fmt: skip


@ACTIONS.action(
    "batch", "Runs any instructions as one transaction: all of them, or none.",
    Argument("instructions", "list", "Objects with program, accounts (each with address, signer and writable) and data "
             "in hexadecimal."),
    Argument("tables", "list", f"Lookup tables to name accounts by, at most {TABLES}.", [], optional=True), PRICE,
    effects="whatever the dry run finds; the policy has to permit all of it",
)  # fmt: skip
def batch(ground: Ground, instructions: list[Json], tables: list[Json], price: int | None) -> SolanaPlan:
    """Returns one transaction. Nobody but the acting account can sign it."""
    if not 1 <= len(instructions) <= STEPS or len(tables) > TABLES:
        raise BadArgument(
            f"instructions were {len(instructions)}, tables {len(tables)}", hint=f"1 to {STEPS}, at most {TABLES}"
        )
    steps = [_instruction(ground, item) for item in instructions]
    return plan("Run instructions", *steps, tables=tuple(named(tables)), price=price)


def _instruction(ground: Ground, given: Any) -> Instruction:
    if not isinstance(given, Mapping) or set(given) - {"program", "accounts", "data"}:
        raise BadArgument(f"instruction was {given!r:.120}", hint="an object with program, accounts and data")
    accounts, text = given.get("accounts", []), given.get("data", "0x")
    if not isinstance(accounts, list) or len(accounts) > ACCOUNTS or not isinstance(text, str):
        raise BadArgument(f"instruction was {given!r:.120}", hint=f"a list of at most {ACCOUNTS} accounts")
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise BadArgument(f"data was {text!r:.120}", hint="expected hexadecimal digits") from None
    return Instruction(one(given.get("program")), tuple(_meta(ground, item) for item in accounts), data)


def _meta(ground: Ground, given: Any) -> Meta:
    if not isinstance(given, Mapping) or set(given) - {"address", "signer", "writable"}:
        raise BadArgument(f"account was {given!r:.120}", hint="an object with address, signer and writable")
    signer, writable = given.get("signer", False), given.get("writable", False)
    if not isinstance(signer, bool) or not isinstance(writable, bool):
        raise BadArgument(f"account was {given!r:.120}", hint="signer and writable are true or false")
    address = one(given.get("address"))
    if signer and address != ground.account:
        raise BadArgument(f"signer was {address!r}", hint=f"only {ground.account} can sign")
    return Meta(address, signer, writable)
