"""Address lookup tables of one's own: made, extended, ended, closed. `batch` and `swap-jupiter` use them."""

from __future__ import annotations

from mercato.chains.solana import lookup
from mercato.chains.solana.lookup import AT_ONCE, MOST, LookupTable, lookup_table
from mercato.chains.solana.model import Address
from mercato.core.events import Json
from mercato.kit.actions import Argument, Catalogue
from mercato.kit.errors import BadArgument
from mercato.kit.solana.actions.reading import named
from mercato.kit.solana.plan import Ground, SolanaPlan, plan

ACTIONS = Catalogue()
TABLE = Argument("table", "base58", "The lookup table.")
ADDED = Argument("addresses", "list", f"1 to {AT_ONCE} addresses to put into it.")


@ACTIONS.action(
    "create-lookup-table", "Makes a lookup table, which lets transactions name more accounts.", ADDED,
    effects="a table is created, its rent leaves; the acting account may add to it and close it",
)  # fmt: skip
def create(ground: Ground, addresses: list[Json]) -> SolanaPlan:
    """Returns one transaction; its address follows from the newest slot, so it lies elsewhere when tried later."""
    me, listed = ground.account, _listed(addresses)
    at, made = lookup.create_table(me, me, ground.cluster.block().slot)
    return plan("Make a lookup table", made, lookup.extend_table(at, me, me, listed))


@ACTIONS.action(
    "extend-lookup-table", "Puts more addresses into a lookup table.", TABLE, ADDED,
    effects="the rent for them leaves for the table",
)  # fmt: skip
def extend(ground: Ground, table: Address, addresses: list[Json]) -> SolanaPlan:
    """Returns one transaction. What it adds can be used from the next block on."""
    listed, there = _listed(addresses), _mine(ground, table)
    if there.ended is not None or len(there.addresses) + len(listed) > MOST:
        raise BadArgument(f"table was {table!r}, with {len(there.addresses)} addresses", hint=f"open, {MOST} at most")
    return plan("Extend a lookup table", lookup.extend_table(table, ground.account, ground.account, listed))


@ACTIONS.action(
    "end-lookup-table", "Ends a lookup table, so that it can be closed 513 blocks later.", TABLE,
    effects="none on balances: transactions cannot use the table any more",
)  # fmt: skip
def end(ground: Ground, table: Address) -> SolanaPlan:
    """Returns one transaction."""
    _mine(ground, table)
    return plan("End a lookup table", lookup.end_table(table, ground.account))


@ACTIONS.action("close-lookup-table", "Closes a lookup table that was ended.", TABLE, effects="its rent comes back")
def close(ground: Ground, table: Address) -> SolanaPlan:
    """Returns one transaction."""
    if _mine(ground, table).ended is None:
        raise BadArgument(f"table was {table!r}, which is in use", hint="`end-lookup-table` first")
    return plan("Close a lookup table", lookup.close_table(table, ground.account, ground.account))


def _mine(ground: Ground, table: Address) -> LookupTable:
    found = lookup_table(ground.cluster.accounts([table])[0])
    if found is None or found.authority != ground.account:
        raise BadArgument(f"table was {table!r}", hint="expected a lookup table of the acting account's")
    return found


def _listed(given: list[Json]) -> list[Address]:
    found = named(given)
    if not 1 <= len(found) <= AT_ONCE or len(set(found)) != len(found):
        raise BadArgument(f"addresses were {len(found)}", hint=f"1 to {AT_ONCE}, each once")
    return found
