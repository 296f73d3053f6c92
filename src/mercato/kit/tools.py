"""The kit's actions as tools of the Model Context Protocol, for agents of whatever make.

A tool is an offer of `offers.py`: its name, its description and its schema come from the action's definition.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any

import mcp_types as types
from anyio.to_thread import run_sync
from mcp.server import Server
from mcp.server.stdio import stdio_server
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mercato.core.errors import ConfigError, MercatoError
from mercato.core.events import Json
from mercato.core.settings import Secret
from mercato.kit.offers import Offer, answer, offers, refusal
from mercato.kit.service import Kit

LEAST_TOKEN = 16


def tools(kit: Kit) -> list[types.Tool]:
    """Returns what the kit offers as tools."""
    return [_tool(item) for item in offers(kit)]


def server(kit: Kit) -> Server[Any]:
    """Returns the server of a kit's tools; the kit works in threads of its own."""

    async def on_list(context: Any, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools(kit))

    async def on_call(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        return await run_sync(_called, kit, params.name, params.arguments or {})

    return Server("mercato-kit", version=version("mercato"), on_list_tools=on_list, on_call_tool=on_call)


async def speak(kit: Kit) -> None:
    """Serves the tools on standard input and output until it ends."""
    served = server(kit)
    async with stdio_server() as (incoming, outgoing):
        await served.run(incoming, outgoing, served.create_initialization_options())


def site(served: Server[Any], token: Secret) -> Starlette:
    """Returns a server as an application at /mcp (streamable HTTP), for whoever has the token.

    ConfigError where the token is too short to be a secret: any program on this machine could act otherwise.
    """
    if len(token.reveal()) < LEAST_TOKEN:
        raise ConfigError("token was too short", hint=f"set MERCATO_KIT_TOKEN to at least {LEAST_TOKEN} letters")
    made = served.streamable_http_app()
    made.add_middleware(_Guard, token=token)
    return made


class _Guard:
    """Lets requests pass that bear the token."""

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app, self._wanted = app, f"Bearer {token.reveal()}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passes: Callable[..., Awaitable[None]] = self._app
        if scope["type"] == "http":
            told = dict(scope["headers"]).get(b"authorization", b"")
            if not secrets.compare_digest(told, self._wanted):
                passes = PlainTextResponse("a token is needed", 401, {"www-authenticate": "Bearer"})
        await passes(scope, receive, send)


def _called(kit: Kit, name: str, arguments: Mapping[str, Json]) -> types.CallToolResult:
    try:
        body = answer(kit, name, arguments)
    except MercatoError as error:
        told = refusal(error)
        return types.CallToolResult(content=[_text(told)], structured_content=told, is_error=True)
    return types.CallToolResult(content=[_text(body)], structured_content=body)


def _text(body: Json) -> types.TextContent:
    return types.TextContent(type="text", text=json.dumps(body))


def _tool(item: Offer) -> types.Tool:
    hints = types.ToolAnnotations(read_only_hint=item.reads, destructive_hint=not item.reads)
    return types.Tool(name=item.name, description=item.says, input_schema=dict(item.schema), annotations=hints)
