"""The kit's tools, called by the protocol's own client: in process, by a command's pipes, and over HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from mercato.chains.facade import Facade
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.core.clock import HandClock
from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from mercato.kit.ledger import Ledger
from mercato.kit.service import Kit
from mercato.kit.testing import NOON
from mercato.kit.tools import server, site
from mercato.store import Store
from mercato.store.settings import StoreSettings
from tests.kit.ground import ANYTHING, FRIEND, STRANGER, Town, town
from tests.kit.serving import served
from tests.waiting import wait_for

PROGRAM = str(Path(sys.executable).parent / "mercato")
TOKEN = Secret("a token of some length")
Talk = Callable[[Client], Awaitable[Any]]


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


@pytest.fixture
def kit(town: Town, sqlite: Store, clock: HandClock) -> Kit:
    return town.kit(sqlite, clock, town.policy({**ANYTHING, "recipients": [FRIEND]}))


def talked(to: Any, talk: Talk) -> Any:
    """Lets the protocol's client talk to a server, and returns what came of it."""

    async def run() -> Any:
        async with Client(to) as client:
            return await talk(client)

    return anyio.run(run)


def pay(town: Town, to: str = FRIEND, **more: Any) -> dict[str, Any]:
    return {"token": town.dollar.address, "to": to, "amount": "5", **more}


def test_every_action_is_a_tool_with_the_schema_of_its_definition(kit: Kit) -> None:
    listed = talked(server(kit), lambda client: client.list_tools()).tools
    found = {tool.name: tool for tool in listed}

    assert set(found) == {*kit.actions, "act-state", "act-resume"}
    for name, action in kit.actions.items():
        own = set(action.schema()["properties"])
        assert set(found[name].input_schema["properties"]) - {"dry_run"} == own
        assert found[name].annotations.read_only_hint is action.reads


def test_a_tool_pays_what_the_policy_allows_and_tells_its_act(kit: Kit, town: Town) -> None:
    async def talk(client: Client) -> Any:
        tried = await client.call_tool("transfer", pay(town, dry_run=True))
        made = await client.call_tool("transfer", pay(town))
        told = await client.call_tool("act-state", {"act": made.structured_content["id"]})
        return tried, made, told

    tried, made, told = talked(server(kit), talk)

    assert tried.structured_content["decision"]["verdict"] == "allow"
    assert (made.is_error, made.structured_content["state"]) == (False, "done")
    assert told.structured_content == made.structured_content
    assert town.dollar.read("balanceOf", FRIEND) == 5


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("transfer", {"to": STRANGER}, "denied"), ("transfer", {"amount": str(10**30)}, "would-fail"),
        ("transfer", {"amount": "many"}, "bad-argument"), ("transfers", {}, "bad-argument"),
        ("transfer", {"origin": "operator"}, "bad-argument"), ("approve", {"spender": FRIEND}, "bad-argument"),
        ("act-state", {"act": "act_x"}, "not-found"), ("act-resume", {"act": "act_x"}, "not-found"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_with_its_code_and_changes_nothing(
    kit: Kit, town: Town, name: str, change: dict[str, Any], code: str
) -> None:
    refused = talked(server(kit), lambda client: client.call_tool(name, {**pay(town), **change}))

    assert (refused.is_error, refused.structured_content["code"]) == (True, code)
    assert town.dollar.read("balanceOf", FRIEND) == 0
    assert KEYS[0].hex() not in json.dumps(refused.structured_content)


@pytest.fixture
def environment(town: Town, home: Path, migrated: Path) -> Iterator[dict[str, str]]:
    """What a command of the kit finds: a node, a wallet, a book whose policy lets it pay a friend, and a token."""
    place = Path(str(Store(StoreSettings().address(home)).url.database))
    place.write_bytes(migrated.read_bytes())
    store = Store(StoreSettings().address(home))
    Ledger(store, HandClock(NOON)).open("agent", town.policy({**ANYTHING, "recipients": [FRIEND]}), "operator")
    store.close()
    with Facade(town.chain, 0, accounts=ACCOUNTS) as facade:
        yield {
            "MERCATO_HOME": str(home), "MERCATO_CHAINS_RPC": facade.url, "MERCATO_KIT_KEY": KEYS[0].hex(),
            "MERCATO_KIT_TOKEN": TOKEN.reveal(), "PATH": os.environ["PATH"],
        }  # fmt: skip


def test_a_command_serves_the_tools_on_its_pipes(town: Town, environment: dict[str, str]) -> None:
    command = StdioServerParameters(command=PROGRAM, args=["kit", "serve"], env=environment)
    made = talked(command, lambda client: client.call_tool("transfer", pay(town)))

    assert (made.is_error, made.structured_content["state"]) == (False, "done")
    assert town.dollar.read("balanceOf", FRIEND) == 5


def test_a_command_serves_the_tools_over_http(town: Town, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = subprocess.Popen([PROGRAM, "kit", "serve", "--port", str(port)], env=environment)
    try:
        wait_for(lambda: listens(port))
        made = anyio.run(paid, f"http://127.0.0.1:{port}/mcp", town)
    finally:
        command.terminate()
        command.wait(60)

    assert (made.is_error, made.structured_content["state"]) == (False, "done")
    assert town.dollar.read("balanceOf", FRIEND) == 5


def listens(port: int) -> bool:
    with socket.socket() as asks:
        return asks.connect_ex(("127.0.0.1", port)) == 0


async def paid(url: str, town: Town) -> Any:
    headers = {"authorization": f"Bearer {TOKEN.reveal()}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        return await client.call_tool("transfer", pay(town))


def test_over_http_nobody_without_the_token_calls_a_tool(kit: Kit) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with served(site(server(kit), TOKEN)) as url:
        bare = httpx.post(url, json=asked)
        wrong = httpx.post(url, json=asked, headers={"authorization": "Bearer a token of another length"})

    assert (bare.status_code, wrong.status_code) == (401, 401)
    with pytest.raises(ConfigError, match="too short"):
        site(server(kit), Secret("short"))


def test_over_http_whoever_has_the_token_pays_within_the_policy(kit: Kit, town: Town) -> None:
    with served(site(server(kit), TOKEN)) as url:
        made = anyio.run(paid, url, town)

    assert (made.is_error, made.structured_content["state"]) == (False, "done")
    assert town.dollar.read("balanceOf", FRIEND) == 5
