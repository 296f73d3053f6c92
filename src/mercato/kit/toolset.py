"""The kit as a toolset of Pydantic AI; needs `mercato[agents]`.

    agent = Agent(model, toolsets=[KitToolset(kit)], output_type=[str, DeferredToolRequests])

A tool is an offer of `offers.py`, so its origin is `agent`, and a refusal is an answer that the model reads. An act
that somebody has to approve is deferred: the run ends with it, and `answers` goes on once the book has the approval.
Approving is the book's alone: nothing that the run's caller says about the call stands for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from anyio.to_thread import run_sync
from pydantic_ai import AbstractToolset, CallDeferred, RunContext, ToolDefinition, ToolFailed
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults
from pydantic_ai.toolsets import ToolsetTool
from pydantic_core import SchemaValidator, core_schema

from mercato.core.errors import MercatoError
from mercato.core.events import Json
from mercato.kit import shapes
from mercato.kit.acts import State
from mercato.kit.errors import BadArgument
from mercato.kit.offers import Offer, answer, offers, refusal
from mercato.kit.service import Kit

#: The kit reads the arguments itself, so that every door refuses the same ones with the same words.
_ANYTHING = SchemaValidator(core_schema.any_schema())
RETRIES = 2  # of a call whose arguments are no JSON at all; a refusal of the kit is not repeated by rule


class KitToolset(AbstractToolset[Any]):
    """What the kit offers, for an agent with dependencies of any type.

    With `defer` an act that waits for approval ends the run as a deferred call, whose metadata names the act; without
    it the act is answered as `asked`, and the model may ask for its state and resume it.
    """

    def __init__(self, kit: Kit, *, id: str = "mercato-kit", defer: bool = True) -> None:
        self._kit, self._id, self._defer = kit, id, defer

    @property
    def id(self) -> str:
        """Returns the name by which durable runs know the toolset."""
        return self._id

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """Returns the tools; those that act run one after the other, in the order in which the model called them."""
        return {
            item.name: ToolsetTool(toolset=self, tool_def=_defined(item), max_retries=RETRIES, args_validator=_ANYTHING)
            for item in offers(self._kit)
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> Json:
        """Returns what the kit answers; a refusal is a failed call that the model sees and does not repeat by rule."""
        try:
            body = await run_sync(_answered, self._kit, name, tool_args)
        except MercatoError as error:
            raise _failed(error) from None
        if self._defer and isinstance(body, dict) and body.get("state") == State.ASKED.value:
            raise CallDeferred(metadata={"act": body["id"], "decision": body["decision"], "effects": body["effects"]})
        return body

    def answers(self, requests: DeferredToolRequests) -> DeferredToolResults:
        """Carries out what was approved since, and returns the answers to the deferred calls for the next run.

        Calls that still wait, or that are not the kit's, are left out: `requests.remaining(results)` has them.
        """
        made = DeferredToolResults()
        for call in requests.calls:
            act = requests.metadata.get(call.tool_call_id, {}).get("act")
            if isinstance(act, str) and (told := _resumed(self._kit, act)) is not None:
                made.calls[call.tool_call_id] = told
        return made


def _answered(kit: Kit, name: str, arguments: object) -> Json:
    if not isinstance(arguments, Mapping):
        raise BadArgument(f"arguments were {arguments!r:.120}", hint="expected an object")
    return answer(kit, name, arguments)


def _resumed(kit: Kit, id: str) -> Json | ToolFailed:
    try:
        act = kit.ledger.act(id)
        if act.state is State.ASKED:
            return None
        return shapes.act(kit.resume(id) if act.state is State.AGREED else act)
    except MercatoError as error:
        return _failed(error)


def _failed(error: MercatoError) -> ToolFailed:
    return ToolFailed(json.dumps(refusal(error)))


def _defined(item: Offer) -> ToolDefinition:
    return ToolDefinition(
        name=item.name,
        description=item.says,
        parameters_json_schema=dict(item.schema),
        sequential=not item.reads,
        metadata={"reads": item.reads},
    )
