"""Turns a request of the Responses API into one for chat completions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from mercato.compute.errors import Declined
from mercato.compute.gateway import asking
from mercato.compute.gateway import body as bodies
from mercato.compute.gateway.asking import Asked
from mercato.compute.gateway.body import Body
from mercato.compute.gateway.checks import Bounds, wrong
from mercato.compute.gateway.responses.writing import Response
from mercato.compute.model import Surface

#: Members that mean the same in both, by their names here and there.
SAME = {
    "model": "model", "provider": "provider", "temperature": "temperature", "top_p": "top_p", "user": "user",
    "stream": "stream", "parallel_tool_calls": "parallel_tool_calls", "max_output_tokens": "max_completion_tokens",
    "top_logprobs": "top_logprobs", "seed": "seed",
}  # fmt: skip
#: Members that ask for what a gateway which keeps nothing does not have; each with the values that ask for nothing.
KEPT: dict[str, tuple[Any, ...]] = {
    "previous_response_id": (None,), "conversation": (None,), "background": (None, False), "store": (None, False),
    "prompt": (None,), "truncation": (None, "disabled"), "max_tool_calls": (None,),
}  # fmt: skip
#: Members that change nothing in what is asked.
SILENT = frozenset(
    {"metadata", "include", "service_tier", "safety_identifier", "prompt_cache_key", "stream_options",
     "prompt_cache_retention"}
)  # fmt: skip
ROLES = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}
TEXTS = frozenset({"input_text", "output_text", "text"})


def ask(raw: bytes, bounds: Bounds) -> Asked:
    """Returns what a request asks for, as a chat; Declined, with the member that was wrong, for what is not served."""
    body = bodies.read(raw)
    _known(body, bounds)
    chat: dict[str, Any] = {there: body.get(here) for here, there in SAME.items() if body.get(here) is not None}
    chat["messages"] = _messages(body)
    if len(chat["messages"]) > bounds.messages:
        raise Declined(f"input had more than {bounds.messages} items", param="input", hint="send fewer")
    _tools(body, chat)
    _text(body, chat)
    effort = (body.get("reasoning") or {}).get("effort") if isinstance(body.get("reasoning"), dict) else None
    if isinstance(effort, str):
        chat["reasoning_effort"] = effort
    digest = hashlib.sha256(raw).hexdigest()
    try:
        asked = asking.ask(Surface.RESPONSES, bodies.read(json.dumps(chat).encode()), digest, bounds)
    except Declined as error:
        there, error.param = error.param, _named(error.param)
        if there:
            error.message = error.message.replace(there, error.param, 1)
        raise
    echoed = dict(body.values)
    return replace(asked, voice=lambda request: Response(request, echoed))


def _known(body: Body, bounds: Bounds) -> None:
    for name, fine in KEPT.items():
        if body.get(name) not in fine:
            raise wrong(name, body.get(name), "this gateway keeps no responses; send the whole conversation as input")
    known = {*SAME, *KEPT, *SILENT, "input", "instructions", "tools", "tool_choice", "text", "reasoning"}
    if bounds.deny and (unknown := sorted(set(body.values) - known)):
        name = unknown[0][:80]
        hint = "this gateway passes on no member that it does not know"
        raise Declined(f"body had the member {name!r}", param=name, hint=hint, code="unknown_parameter")


def _messages(body: Body) -> list[dict[str, Any]]:
    """Returns instructions and input as messages."""
    found: list[dict[str, Any]] = []
    instructions = body.get("instructions")
    if isinstance(instructions, str) and instructions:
        found.append({"role": "system", "content": instructions})
    elif instructions is not None and not isinstance(instructions, str):
        raise wrong("instructions", instructions, "send text")
    given = body.get("input")
    if isinstance(given, str):
        return [*found, {"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise wrong("input", given, "send text, or a list of items")
    for at, item in enumerate(given):
        _item(item, f"input[{at}]", found)
    return found


def _item(item: Any, place: str, found: list[dict[str, Any]]) -> None:
    """Adds one item of the input to the messages; calls that were made together share a message."""
    if not isinstance(item, dict):
        raise wrong(place, item, "send an object")
    kind = item.get("type", "message")
    if kind == "message":
        role = item.get("role")
        if not isinstance(role, str) or role not in ROLES:
            raise wrong(f"{place}.role", role, f"use one of {', '.join(sorted(ROLES))}")
        found.append({"role": ROLES[role], "content": _content(item.get("content"), place)})
    elif kind == "function_call":
        name, arguments = _text_of(item, "name", place), _text_of(item, "arguments", place)
        function = {"name": name, "arguments": arguments}
        call = {"id": _text_of(item, "call_id", place), "type": "function", "function": function}
        if found and found[-1]["role"] == "assistant" and "tool_calls" in found[-1]:
            found[-1]["tool_calls"].append(call)
        else:
            found.append({"role": "assistant", "content": None, "tool_calls": [call]})
    elif kind == "function_call_output":
        output = item.get("output")
        words = output if isinstance(output, str) else _content(output, f"{place}.output")
        found.append({"role": "tool", "tool_call_id": _text_of(item, "call_id", place), "content": words})
    elif kind != "reasoning":  # thoughts of before are the model's own, and chats do not take them back
        raise wrong(f"{place}.type", kind, "use message, function_call, function_call_output or reasoning")


def _text_of(item: dict[str, Any], name: str, place: str) -> str:
    if not isinstance(value := item.get(name), str):
        raise wrong(f"{place}.{name}", value, "send text")
    return value


def _content(content: Any, place: str) -> Any:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise wrong(f"{place}.content", content, "send text, or a list of parts")
    parts = [_part(part, f"{place}.content[{at}]") for at, part in enumerate(content)]
    plain = all(part["type"] == "text" for part in parts)
    return "".join(part["text"] for part in parts) if plain else parts


def _part(part: Any, place: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str):
        raise wrong(f"{place}.type", kind, "send parts such as input_text")
    if kind in TEXTS and isinstance(part.get("text"), str):
        return {"type": "text", "text": part["text"]}
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return {"type": "text", "text": part["refusal"]}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        image = {"url": part["image_url"], "detail": part.get("detail", "auto")}
        return {"type": "image_url", "image_url": image}
    raise wrong(place, part, "send input_text, output_text, refusal, or input_image with image_url")


def _tools(body: Body, chat: dict[str, Any]) -> None:
    tools, choice = body.get("tools"), body.get("tool_choice")
    if tools is not None:
        if not isinstance(tools, list):
            raise wrong("tools", tools, "send a list of functions")
        chat["tools"] = [_tool(tool, f"tools[{at}]") for at, tool in enumerate(tools)]
        if not tools:
            del chat["tools"]
    if isinstance(choice, dict) and choice.get("type") == "function":
        chat["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
    elif isinstance(choice, str):
        chat["tool_choice"] = choice
    elif choice is not None:
        raise wrong("tool_choice", choice, "say auto, none, required, or name a function")


def _tool(tool: Any, place: str) -> dict[str, Any]:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        raise wrong(place, tool, "send functions; this gateway runs no tools of its own")
    names = ("name", "description", "parameters", "strict")
    return {"type": "function", "function": {name: tool[name] for name in names if tool.get(name) is not None}}


def _text(body: Body, chat: dict[str, Any]) -> None:
    text = body.get("text")
    if text is None:
        return
    if not isinstance(text, dict):
        raise wrong("text", text, "send an object with format")
    form = text.get("format")
    if not isinstance(form, dict) or form.get("type") == "text":
        return
    if form.get("type") == "json_schema":
        inner = {name: form[name] for name in ("name", "description", "schema", "strict") if form.get(name) is not None}
        chat["response_format"] = {"type": "json_schema", "json_schema": inner}
    else:
        chat["response_format"] = {"type": form.get("type")}


def _named(param: str) -> str:
    """Returns a member's name here for its name in a chat."""
    back = {there: here for here, there in SAME.items()} | {"messages": "input", "response_format": "text.format"}
    first, _, rest = param.partition("[")
    return back.get(first, first) + (f"[{rest}" if rest else "")
