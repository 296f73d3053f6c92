"""The operator acting on Solana under a policy that permits everything, and what is checked of every act."""

from __future__ import annotations

from typing import Any

from mercato.chains.solana.model import Account, Address
from mercato.core.clock import HandClock
from mercato.core.events import Json
from mercato.kit import Effects, Origin
from mercato.kit.acts import Act
from mercato.kit.service import Kit
from mercato.store import Store
from tests.kit.solana.ground import ANYTHING, NATIVE, WORDS, Town, done, token

POWERS = ["operator", "delegate", "owner", "mint", "freeze", "code", "close", "stake"]
RENT = 2_039_280  # lamports of a token account of 165 bytes


def everything(*assets: str) -> dict[str, Any]:
    """A rule that lets the operator do everything with the dollar, SOL and these assets."""
    known = {**ANYTHING["spend"], **dict.fromkeys(assets, "any")}
    return {
        **ANYTHING, "spend": known, "grants": known, "spenders": ["any"], "origins": ["operator"],
        "authorities": POWERS,
    }  # fmt: skip


def opened(town: Town, store: Store, clock: HandClock, **assets: Address) -> Kit:
    """A kit under that rule, for these tokens besides."""
    tokens = {name: token(mint) for name, mint in assets.items()}
    return town.kit(store, clock, town.policy(everything(*tokens), WORDS, assets=tokens))


def act(kit: Kit, action: str, **arguments: Json) -> Act:
    """Does it as the operator, and checks that what happened is what the dry run told."""
    told = kit.propose(kit.intent(action, arguments, origin=Origin.OPERATOR)).ready.effects
    made = done(kit, action, arguments, Origin.OPERATOR)
    assert _units(made.effects) == _units(told)
    assert (made.effects.grants, made.effects.fee) == (told.grants, told.fee)
    assert [item.units for item in made.effects.payments] == [item.units for item in told.payments]
    assert len(made.effects.creations) == len(told.creations)
    return made


def moved(made: Act) -> dict[str, int]:
    """What moved, by asset; SOL goes by its short name."""
    return {"SOL" if item.asset == NATIVE else item.asset: item.units for item in made.effects.moves}


def at(town: Town, address: Address) -> Account:
    """The account at an address."""
    found = town.cluster.accounts([address])[0]
    assert found
    return found


def _units(effects: Effects) -> list[int]:
    return sorted(item.units for item in effects.moves)  # a new mint's address follows from its intent
