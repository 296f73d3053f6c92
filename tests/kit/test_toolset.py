"""The kit as a toolset of Pydantic AI: its agents act on the embedded chain, with models that ship with it."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from typing import Any

import anyio
import pytest
from pydantic_ai import Agent, DeferredToolRequests, ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from mercato.chains.testing import KEYS
from mercato.core.clock import HandClock
from mercato.kit import Origin
from mercato.kit.acts import State
from mercato.kit.offers import offers
from mercato.kit.service import Kit
from mercato.kit.toolset import KitToolset
from mercato.store import Store
from tests.kit.ground import ANYTHING, DIME, FRIEND, ME, STRANGER, Town, town

BIG: dict[str, Any] = {**ANYTHING, "name": "large", "verdict": "ask", "approvers": ["ann"], "recipients": [FRIEND]}
SMALL: dict[str, Any] = {**ANYTHING, "name": "small", "spend": {"USD": "10", "ETH": "1"}, "recipients": [FRIEND]}


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


@pytest.fixture
def kit(town: Town, sqlite: Store, clock: HandClock) -> Kit:
    return town.kit(sqlite, clock, town.policy(SMALL, BIG))


def pay(town: Town, amount: int = 5, to: str = FRIEND, **more: Any) -> ToolCallPart:
    return ToolCallPart("transfer", {"token": town.dollar.address, "to": to, "amount": str(amount), **more})


def saying(*turns: ToolCallPart | list[ToolCallPart]) -> FunctionModel:
    """A model that makes these calls one turn after the other, and then has done."""
    left = list(turns)

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        turn = left.pop(0) if left else TextPart("done")
        return ModelResponse(turn if isinstance(turn, list) else [turn])

    return FunctionModel(answer)


def ran(kit: Kit, model: FunctionModel | TestModel, **more: Any) -> Any:
    """Returns a finished run of an agent that has the kit and nothing else."""
    agent = Agent(model, toolsets=[KitToolset(kit)], output_type=[str, DeferredToolRequests])
    prompt = None if "message_history" in more else "Pay."
    return anyio.run(partial(agent.run, prompt, **more))


def told(run: Any) -> list[ToolReturnPart]:
    return [part for message in run.new_messages() for part in message.parts if isinstance(part, ToolReturnPart)]


def body(part: ToolReturnPart) -> Any:
    return part.content if isinstance(part.content, dict) else json.loads(str(part.content))


def test_every_offer_is_a_tool_with_its_schema(kit: Kit) -> None:
    model = TestModel(call_tools=[])
    ran(kit, model)
    asked = model.last_model_request_parameters
    assert asked is not None

    assert {tool.name: tool.parameters_json_schema for tool in asked.function_tools} == {
        item.name: item.schema for item in offers(kit)
    }
    assert {tool.name for tool in asked.function_tools if not tool.sequential} == {
        item.name for item in offers(kit) if item.reads
    }


def test_a_model_that_calls_tools_with_made_up_arguments_gets_answers_and_changes_nothing(kit: Kit, town: Town) -> None:
    """Pydantic AI's own test model makes arguments up from each schema: enough to be refused in many ways."""
    run = ran(kit, TestModel(call_tools=[item.name for item in offers(kit)]))
    answers = {part.tool_name: part for part in told(run)}

    assert set(answers) == {item.name for item in offers(kit)}
    assert all({"code", "error", "hint"} == set(body(one)) for one in answers.values() if one.outcome == "failed")
    assert answers["balance"].outcome == "success"
    assert (town.chain.nonce(ME), town.dollar.read("balanceOf", ME)) == (0, 1_000 * DIME)


def test_an_agent_pays_what_the_policy_allows_and_its_word_is_an_agents(kit: Kit, town: Town) -> None:
    tried, made = told(ran(kit, saying(pay(town, dry_run=True), pay(town))))
    act = kit.ledger.act(body(made)["id"])

    assert body(tried)["decision"]["verdict"] == "allow"
    assert (act.state, act.intent.origin) == (State.DONE, Origin.AGENT)
    assert town.dollar.read("balanceOf", FRIEND) == 5


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": STRANGER}, "denied"), ({"amount": str(10**30)}, "would-fail"), ({"amount": "many"}, "bad-argument"),
        ({"origin": "operator"}, "bad-argument"), ({"more": 1}, "bad-argument"),
    ],
)  # fmt: skip
def test_a_refusal_is_an_answer_that_the_model_reads_and_the_run_goes_on(
    kit: Kit, town: Town, change: dict[str, Any], code: str
) -> None:
    run = ran(kit, saying(pay(town, **change), pay(town)))
    refused, made = told(run)

    assert (refused.outcome, body(refused)["code"]) == ("failed", code)
    assert (made.outcome, run.output) == ("success", "done")
    assert town.dollar.read("balanceOf", FRIEND) == 5
    assert KEYS[0].hex() not in str(run.all_messages())


@pytest.mark.parametrize("arguments", ["[1]", "7", '{"token"'])
def test_arguments_that_are_no_object_are_no_call(kit: Kit, town: Town, arguments: str) -> None:
    ran(kit, saying(ToolCallPart("transfer", arguments)))

    assert town.chain.nonce(ME) == 0


def test_calls_of_one_turn_happen_in_their_order(kit: Kit, town: Town) -> None:
    run = ran(kit, saying([pay(town, 1), pay(town, 2), pay(town, 3)]))
    acts = [kit.ledger.act(body(part)["id"]) for part in told(run)]

    assert [(act.intent.arguments["amount"], act.signed[0].place) for act in acts] == [("1", 0), ("2", 1), ("3", 2)]


def test_an_act_that_wants_approval_ends_the_run_and_the_next_one_has_its_outcome(kit: Kit, town: Town) -> None:
    waits = ran(kit, saying(pay(town, 20 * DIME)))
    requests = waits.output
    toolset = KitToolset(kit)
    (call,) = requests.calls
    id = requests.metadata[call.tool_call_id]["act"]

    assert (kit.ledger.act(id).state, toolset.answers(requests).calls) == (State.ASKED, {})
    assert requests.approvals == []  # the book approves, not whoever runs the agent
    kit.ledger.answer(kit.ledger.act(id), "ann", yes=True)
    results = toolset.answers(requests)
    run = ran(kit, saying(), message_history=waits.all_messages(), deferred_tool_results=results)
    assert (run.output, kit.ledger.act(id).state) == ("done", State.DONE)
    assert results.calls[call.tool_call_id] == body(told(run)[0])
    assert town.dollar.read("balanceOf", FRIEND) == 20 * DIME


def test_an_act_that_was_rejected_is_told_as_over(kit: Kit, town: Town) -> None:
    requests = ran(kit, saying(pay(town, 20 * DIME))).output
    (call,) = requests.calls
    act = kit.ledger.act(requests.metadata[call.tool_call_id]["act"])
    kit.ledger.answer(act, "ann", yes=False)

    results = KitToolset(kit).answers(requests)

    assert results.calls[call.tool_call_id]["state"] == "over"  # type: ignore[index]  # what the kit answers is JSON
    assert town.dollar.read("balanceOf", FRIEND) == 0


def test_without_deferring_the_model_itself_asks_and_resumes(kit: Kit, town: Town) -> None:
    agent = Agent(saying(pay(town, 20 * DIME)), toolsets=[KitToolset(kit, defer=False)])
    asked = body(told(anyio.run(agent.run, "Pay."))[0])
    resume = ToolCallPart("act-resume", {"act": asked["id"]})

    assert asked["state"] == "asked"
    (early,) = told(ran(kit, saying(resume)))
    assert (early.outcome, body(early)["code"]) == ("failed", "taken")
    kit.ledger.answer(kit.ledger.act(asked["id"]), "ann", yes=True)
    assert body(told(ran(kit, saying(resume)))[0])["state"] == "done"


def test_the_room_opens_without_pydantic_ai() -> None:
    script = "import sys, mercato.kit, mercato.kit.commands, mercato.kit.offers; print('pydantic_ai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
