"""What the kit offers to agents, apart from any protocol: each action, and two verbs that tell of acts.

What comes this way has the origin `agent`, whoever is behind it: nothing here hands out an authority, approves an act
or thaws a book. A refusal is an answer too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mercato.core.errors import MercatoError
from mercato.core.events import Json
from mercato.kit import shapes
from mercato.kit.service import Kit

STATE, RESUME = "act-state", "act-resume"
DRY_RUN: dict[str, Any] = {
    "type": "boolean",
    "description": "Only try it: tell its effects and what the policy says, and sign nothing.",
}
FATE: dict[str, Any] = {
    "type": "object",
    "properties": {"act": {"type": "string", "description": "The act's id, act_…."}},
    "required": ["act"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that an agent can ask for: its name, what it does, the JSON Schema of its arguments; `reads` are those
    that change nothing."""

    name: str
    says: str
    schema: Mapping[str, Any]
    reads: bool


def offers(kit: Kit) -> list[Offer]:
    """Returns every action by name, and those that ask for an act's state and go on with an approved one."""
    found = []
    for _, action in sorted(kit.actions.items()):
        schema = action.schema()
        if not action.reads:
            schema["properties"] = {**schema["properties"], "dry_run": DRY_RUN}
        says = action.says if action.reads else f"{action.says} Effects: {action.effects}."
        found.append(Offer(action.name, says, schema, action.reads))
    told = Offer(STATE, "Tells what became of an act.", FATE, True)
    return [*found, told, Offer(RESUME, "Carries out an act that was approved.", FATE, False)]


def answer(kit: Kit, name: str, arguments: Mapping[str, Json]) -> Json:
    """Returns what an offer answers, as JSON; raises the kit's own errors."""
    if name in {STATE, RESUME}:
        id = str(arguments.get("act", ""))
        return shapes.act(kit.resume(id) if name == RESUME else kit.ledger.act(id))
    action = kit.actions.named(name)
    if action.reads:
        return kit.read(name, arguments)
    given = {key: value for key, value in arguments.items() if key != "dry_run"}
    intent = kit.intent(name, given)
    return shapes.proposal(kit.propose(intent)) if arguments.get("dry_run") is True else shapes.act(kit.act(intent))


def refusal(error: MercatoError) -> dict[str, Json]:
    """Returns why something was not done, for whoever asked."""
    return {"code": error.code, "error": error.message, "hint": error.hint}
