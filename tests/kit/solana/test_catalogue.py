"""Every action on Solana is defined once: its schema, its words and the page that lists it agree."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest
from mcp import Client

from mercato.core.clock import HandClock
from mercato.kit.service import Kit
from mercato.kit.solana.actions import catalogue
from mercato.kit.tools import server, tools
from mercato.store import Store
from tests.kit.listing import listed, row
from tests.kit.solana.ground import ANYTHING, FRIEND, STRANGER, Town


@pytest.fixture
def kit(sqlite: Store, clock: HandClock, town: Town) -> Kit:
    made = town.kit(sqlite, clock, town.policy({**ANYTHING, "recipients": [FRIEND]}))
    made.actions = catalogue()
    return made


def test_every_action_has_a_schema_that_says_what_it_takes() -> None:
    for name, action in catalogue().items():
        schema = json.loads(json.dumps(action.schema()))

        assert name == action.name
        assert set(schema["properties"]) == {item.name for item in action.arguments}
        assert all(len(part["description"]) > 5 for part in schema["properties"].values())
        assert len(action.says) > 10
        assert action.effects


def test_every_action_is_a_tool_with_the_schema_of_its_definition(kit: Kit) -> None:
    offered = {item.name: item for item in tools(kit)}

    for name, action in catalogue().items():
        told = offered[name].input_schema["properties"]
        assert {key: told[key] for key in action.schema()["properties"]} == action.schema()["properties"]
        assert action.says in (offered[name].description or "")


def test_an_agent_acts_by_its_tools_and_is_refused_in_words(kit: Kit, town: Town) -> None:
    async def talk() -> list[Any]:
        async with Client(server(kit)) as client:
            calls = [("transfer", FRIEND), ("transfer", STRANGER)]
            pay = {"token": town.dollar, "amount": "5"}
            return [await client.call_tool(name, {**pay, "to": to}) for name, to in calls]

    done, refused = anyio.run(talk)

    assert not done.is_error
    assert town.units(FRIEND) == 5
    assert refused.is_error
    assert STRANGER in refused.content[0].text


def test_the_page_of_the_actions_lists_each_as_it_is_defined() -> None:
    assert listed("Solana") == [row(action) for _, action in sorted(catalogue().items())]
