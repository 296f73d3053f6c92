"""The kit's server with the example tools that the public conformance suite calls by name.

What serves them is what serves the kit: the same application, the same guard, the same list of the kit's own tools.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
from mcp.server import Server
from mcp.shared.exceptions import MCPError

from mercato.kit.service import Kit
from mercato.kit.tools import server

DATA = base64.b64encode(b"a few bytes").decode()
TEXT = types.TextContent(type="text", text="This is a simple text response for testing.")
IMAGE = types.ImageContent(type="image", data=DATA, mime_type="image/png")
AUDIO = types.AudioContent(type="audio", data=DATA, mime_type="audio/wav")
RESOURCE = types.EmbeddedResource(
    type="resource", resource=types.TextResourceContents(uri="test://embedded", mime_type="text/plain", text="A text.")
)
PLAIN: dict[str, Any] = {"type": "object", "properties": {}}
ANSWERS: dict[str, list[types.ContentBlock]] = {
    "test_simple_text": [TEXT],
    "test_image_content": [IMAGE],
    "test_audio_content": [AUDIO],
    "test_embedded_resource": [RESOURCE],
    "test_multiple_content_types": [TEXT, IMAGE, RESOURCE],
    "test_custom_header": [TEXT],
    "json_schema_2020_12_tool": [TEXT],
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "test_custom_header": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}},
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"city": {"type": "string"}}}},
        "properties": {"address": {"$ref": "#/$defs/address"}, "phone": {"type": "string"}},
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["address"]}]}],
        "if": {"required": ["phone"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["address"]},
        "additionalProperties": False,
    },
}
Call = Callable[[Any], Awaitable[types.CallToolResult]]


async def fails(context: Any) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text="It failed on purpose.")], is_error=True)


async def advances(context: Any) -> types.CallToolResult:
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100)
    return types.CallToolResult(content=[TEXT])


async def samples(context: Any) -> types.CallToolResult:
    """Refuses clients that cannot ask a model, as a tool that needs one has to."""
    wanted = types.ClientCapabilities(sampling=types.SamplingCapability())
    if not context.session.check_client_capability(wanted):
        raise MCPError(
            types.MISSING_REQUIRED_CLIENT_CAPABILITY, "sampling is needed", {"requiredCapabilities": {"sampling": {}}}
        )
    return types.CallToolResult(content=[TEXT])


CALLS: dict[str, Call] = {
    "test_error_handling": fails, "test_tool_with_progress": advances, "test_missing_capability": samples,
}  # fmt: skip


def extended(kit: Kit) -> Server[Any]:
    """Returns the kit's server with the example tools beside its own."""
    served = server(kit)
    lists, calls = served.get_request_handler("tools/list"), served.get_request_handler("tools/call")
    assert lists is not None
    assert calls is not None

    async def on_list(context: Any, params: Any) -> types.ListToolsResult:
        own: Any = await lists.handler(context, params)
        named = [*ANSWERS, *CALLS]
        more = [types.Tool(name=name, description=name, input_schema=SCHEMAS.get(name, PLAIN)) for name in named]
        return types.ListToolsResult(tools=[*own.tools, *more])

    async def on_call(context: Any, params: Any) -> Any:
        if params.name in CALLS:
            return await CALLS[params.name](context)
        if params.name in ANSWERS:
            return types.CallToolResult(content=ANSWERS[params.name])
        return await calls.handler(context, params)

    served.add_request_handler("tools/list", types.PaginatedRequestParams, on_list)
    served.add_request_handler("tools/call", types.CallToolRequestParams, on_call)
    return served
