"""The tools pass the public conformance suite of their protocol, in each revision of it; and it sees what is broken."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mcp.server import Server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mercato.core.clock import HandClock
from mercato.kit.service import Kit
from mercato.kit.tools import server, site
from mercato.store import Store
from tests import npm
from tests.kit.examples import CALLS, extended
from tests.kit.ground import ANYTHING, town
from tests.kit.serving import served
from tests.kit.test_tools import TOKEN

pytestmark = pytest.mark.npm
REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
NEWEST = REVISIONS[-1]
PAGE = Path(__file__).parents[2] / "docs/rooms/kit-conformance.md"
GOOD = {"SUCCESS", "INFO", "SKIPPED"}
Checks = dict[str, dict[str, str]]
Wrap = Callable[[ASGIApp], ASGIApp]


@pytest.fixture
def kit(sqlite: Store, clock: HandClock) -> Kit:
    here = town()
    return here.kit(sqlite, clock, here.policy(ANYTHING))


def suite(*arguments: str, folder: Path) -> str:
    """Returns what the suite's program prints."""
    program = npm.package("@modelcontextprotocol/conformance") / "dist/index.js"
    return npm.node(program, *arguments, folder=folder).stdout


def shown(app: ASGIApp) -> ASGIApp:
    """Returns the application as one sees it who shows the token, which the suite has no option for."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        told = (b"authorization", f"Bearer {TOKEN.reveal()}".encode())
        await app({**scope, "headers": [*scope.get("headers", ()), told]}, receive, send)

    return call


def checked(
    made: Server[Any], revision: str, folder: Path, wrap: Wrap = lambda app: app, only: str | None = None
) -> Checks:
    """Returns what each scenario's checks said of a server, by the name of the scenario and of the check."""
    wanted = ("--scenario", only) if only else ("--suite", "all")
    with serving(made, wrap) as url:
        suite("server", "--url", url, *wanted, "--spec-version", revision, "-o", "out", folder=folder)
    found: Checks = {}
    for file in sorted(folder.glob("out/*/checks.json")):
        name = file.parent.name.removeprefix("server-").rpartition(f"-{file.parent.name[-24:]}")[0]
        checks = found.setdefault(name, {})
        for item in json.loads(file.read_text()):
            # Of several checks of one name the worst is kept.
            if checks.get(item["id"], "INFO") in GOOD:
                checks[item["id"]] = item["status"]
    return found


def serving(made: Server[Any], wrap: Wrap) -> AbstractContextManager[str]:
    return served(wrap(shown(site(made, TOKEN))))


def failed(found: Checks) -> set[str]:
    return {name for name, checks in found.items() if bad(checks)}


def bad(checks: dict[str, str]) -> set[str]:
    return {id for id, status in checks.items() if status not in GOOD}


def listed() -> set[str]:
    """Returns the scenarios that the documentation says the kit does not offer what they try."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row.split("|")[1])}


@cache
def scenarios() -> dict[str, str]:
    """Returns the revisions that each scenario of the suite belongs to; those of extensions belong to none."""
    lines = [line.split() for line in suite("list", "--server", folder=npm.HERE).splitlines() if " - " in line]
    return {name: revisions for _, name, revisions in lines}


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_tools_pass_all_of_a_revision_but_what_the_documentation_lists(
    kit: Kit, tmp_path: Path, revision: str
) -> None:
    found = checked(extended(kit), revision, tmp_path)
    lacks = listed() & set(found)

    assert set(found) == {name for name, revisions in scenarios().items() if revision in revisions}
    assert failed(found) == lacks
    assert f"| {revision} | {len(found)} | {len(found) - len(lacks)} | {len(lacks)} |" in PAGE.read_text()


def test_the_kits_own_server_differs_by_the_example_tools_only(kit: Kit, tmp_path: Path) -> None:
    found = checked(server(kit), NEWEST, tmp_path)
    examples = {
        "tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content",
        "tools-call-with-progress", "json-schema-2020-12", "http-custom-header-server-validation", "server-stateless",
    }  # fmt: skip

    assert failed(found) - listed() == examples
    assert bad(found["server-stateless"]) == {
        "sep-2575-server-rejects-undeclared-capability", "sep-2575-missing-capability-http-400",
    }  # fmt: skip
    assert {id.split("-")[2] for id in bad(found["caching"])} == {"prompts", "resources"}
    assert "SUCCESS" in found["caching"].values()


def anywhere(app: ASGIApp) -> ASGIApp:
    """Takes requests for any host: a page of a stranger could reach the tools by a name of its own."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        kept = [pair for pair in scope.get("headers", ()) if pair[0] not in (b"host", b"origin")]
        await app({**scope, "headers": [*kept, (b"host", b"127.0.0.1:1")]}, receive, send)

    return call


def lenient(app: ASGIApp) -> ASGIApp:
    """Answers everything with 200, whatever was wrong."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            await send({**message, "status": 200} if message["type"] == "http.response.start" else message)

        await app(scope, receive, told)

    return call


@pytest.mark.parametrize(
    ("wrap", "revision", "scenario"),
    [
        (anywhere, "2025-11-25", "dns-rebinding-protection"), (lenient, "2025-11-25", "server-session-lifecycle"),
        (lenient, NEWEST, "http-header-validation"), (lenient, NEWEST, "server-stateless"),
    ],
)  # fmt: skip
def test_a_server_that_is_broken_fails(kit: Kit, tmp_path: Path, wrap: Wrap, revision: str, scenario: str) -> None:
    assert failed(checked(extended(kit), revision, tmp_path, wrap, scenario)) == {scenario}


def test_an_answer_of_the_wrong_kind_fails(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALLS, "test_error_handling", CALLS["test_tool_with_progress"])
    scenario = "tools-call-error"

    assert failed(checked(extended(kit), NEWEST, tmp_path, only=scenario)) == {scenario}
