"""Turns chat completions into responses: a whole one at once, or a stream event by event.

Everything in a response is the provider's: its words, its calls, and why it ended. What it did not say is null.
"""

from __future__ import annotations

import json
import time
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.gateway.tally import parted

#: Why a chat ended, and what that means for a response; any other end is complete, and none at all is not.
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
ECHOED = (
    "instructions", "max_output_tokens", "metadata", "temperature", "top_p", "tool_choice", "tools", "text",
    "reasoning", "parallel_tool_calls", "user",
)  # fmt: skip


#: The parts of which items consist, by what is said in them.
PARTS = {"reasoning": "reasoning_text", "message": "output_text", "refusal": "refusal"}


class Response:
    """One response on its way. `request` names it; `asked` are the members of its request."""

    def __init__(self, request: str, asked: dict[str, Any]) -> None:
        self._id = f"resp_{request}"
        self._made = int(time.time())
        self._asked = asked
        self._output: list[dict[str, Any]] = []
        self._open: dict[str, dict[str, Any]] = {}
        self._number = 0
        self._usage: dict[str, Any] | None = None
        self._end = ""
        self._model = asked.get("model", "")
        self._begun = False

    def whole(self, raw: bytes) -> bytes:
        """Returns a whole chat completion, which was found right, as a response."""
        chat = json.loads(raw)
        self._note(chat)
        choice = chat["choices"][0]
        self._ended(choice)
        message = choice["message"]
        said = _said(message)
        if said["reasoning"]:
            self._output.append(self._item("reasoning", said["reasoning"]))
        if said["message"] or message.get("content") == "":
            self._output.append(self._item("message", said["message"]))
        if said["refusal"]:
            self._output.append(self._item("message", said["refusal"], "refusal"))
        for call in _calls(message):
            self._output.append(self._item("function_call", call))
        return json.dumps(self._body(self._status())).encode()

    def event(self, data: bytes) -> bytes:
        """Returns the events of a response for one event of a chat, which was found right."""
        if not data:
            return b""
        chat = json.loads(data)
        self._note(chat)
        out = [] if self._begun else self._begin()
        for choice in chat.get("choices") or ():
            delta = choice.get("delta") or {}
            for kind, words in _said(delta).items():
                out += self._words(kind, words)
            for call in _calls(delta):
                out += self._call(call)
            self._ended(choice)
        return b"".join(out)

    def done(self) -> bytes:
        """Returns the events that end a response whose chat has ended."""
        out = self._close_all()
        status = self._status()
        return b"".join([*out, self._tell(f"response.{status}", response=self._body(status))])

    def cut(self, error: Unreached, code: str) -> bytes:
        """Returns the event that tells that a response broke off."""
        body = {"message": error.message, "type": "upstream_error", "param": None, "code": code}
        return self._tell("error", error=body, code=code, message=error.message, param=None)

    def _begin(self) -> list[bytes]:
        self._begun = True
        body = self._body("in_progress")
        return [self._tell("response.created", response=body), self._tell("response.in_progress", response=body)]

    def _words(self, kind: str, words: str) -> list[bytes]:
        """Returns the events for more words of the message, of a refusal, or of the thoughts before it."""
        if not words:
            return []
        out: list[bytes] = []
        found = self._open.get(kind)
        part = PARTS[kind]
        if found is None:
            out += self._close_all()
            found = self._add(kind, self._item("reasoning" if kind == "reasoning" else "message", "", part))
            shown = {**found["item"], "content": [], "status": "in_progress"}
            empty = dict(found["item"]["content"][0])
            out.append(self._tell("response.output_item.added", output_index=found["at"], item=shown))
            out.append(self._tell("response.content_part.added", **self._place(found), part=empty))
        found["item"]["content"][0][_member(part)] += words
        more: dict[str, Any] = {"logprobs": []} if kind == "message" else {}
        out.append(self._tell(f"response.{part}.delta", **self._place(found), delta=words, **more))
        return out

    def _call(self, call: dict[str, Any]) -> list[bytes]:
        """Returns the events for a call of a function, or for more of its arguments."""
        name, function = f"call-{call.get('index', 0)}", call.get("function") or {}
        out: list[bytes] = []
        found = self._open.get(name)
        if found is None:
            out += self._close_all()
            item = self._item("function_call", {**call, "function": {**function, "arguments": ""}})
            found = self._add(name, item)
            shown = {**item, "status": "in_progress"}
            out.append(self._tell("response.output_item.added", output_index=found["at"], item=shown))
        more = function.get("arguments")
        if isinstance(more, str) and more:
            found["item"]["arguments"] += more
            place = {"item_id": found["item"]["id"], "output_index": found["at"]}
            out.append(self._tell("response.function_call_arguments.delta", **place, delta=more))
        return out

    def _close_all(self) -> list[bytes]:
        """Returns the events that end what is open: one item is written at a time."""
        out: list[bytes] = []
        for found in self._open.values():
            item, at = found["item"], found["at"]
            if item["type"] == "function_call":
                place = {"item_id": item["id"], "output_index": at, "name": item["name"]}
                out.append(self._tell("response.function_call_arguments.done", **place, arguments=item["arguments"]))
            else:
                part = item["content"][0]
                more: dict[str, Any] = {"logprobs": []} if part["type"] == "output_text" else {}
                kind = part["type"]
                more[_member(kind)] = part[_member(kind)]
                out.append(self._tell(f"response.{kind}.done", **self._place(found), **more))
                out.append(self._tell("response.content_part.done", **self._place(found), part=part))
            out.append(self._tell("response.output_item.done", output_index=at, item=item))
        self._open = {}
        return out

    def _add(self, name: str, item: dict[str, Any]) -> dict[str, Any]:
        self._output.append(item)
        self._open[name] = {"item": item, "at": len(self._output) - 1}
        return self._open[name]

    @staticmethod
    def _place(found: dict[str, Any]) -> dict[str, Any]:
        return {"item_id": found["item"]["id"], "output_index": found["at"], "content_index": 0}

    def _item(self, kind: str, what: Any, part: str = "output_text") -> dict[str, Any]:
        """Returns an item of the output."""
        name = f"{kind}_{len(self._output)}_{self._id}"
        if kind == "function_call":
            function = what.get("function") or {}
            return {
                "type": kind, "id": name, "call_id": what.get("id") or name, "name": function.get("name") or "",
                "arguments": function.get("arguments") or "", "status": "completed",
            }  # fmt: skip
        if kind == "reasoning":
            content = [{"type": "reasoning_text", "text": what}]
            return {"type": kind, "id": name, "summary": [], "content": content, "status": "completed"}
        if part == "refusal":
            content = [{"type": part, "refusal": what}]
        else:
            content = [{"type": part, "text": what, "annotations": []}]
        return {"type": kind, "id": name, "role": "assistant", "status": "completed", "content": content}

    def _note(self, chat: dict[str, Any]) -> None:
        usage = chat.get("usage")
        if isinstance(usage, dict):
            self._usage = _usage(usage)
        if isinstance(chat.get("model"), str):
            self._model = chat["model"]

    def _ended(self, choice: dict[str, Any]) -> None:
        end = choice.get("finish_reason")
        self._end = end if end and isinstance(end, str) else self._end

    def _status(self) -> str:
        return "incomplete" if self._end in INCOMPLETE or not self._end else "completed"

    def _body(self, status: str) -> dict[str, Any]:
        why = {"reason": INCOMPLETE.get(self._end)} if status == "incomplete" else None
        over = status != "in_progress"
        defaults = {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True, "metadata": {}}
        return {
            "id": self._id, "object": "response", "created_at": self._made, "status": status, "error": None,
            "incomplete_details": why, "model": self._model, "output": list(self._output) if over else [],
            "usage": self._usage if over else None, "previous_response_id": None, "store": False,
            **defaults, **{name: self._asked[name] for name in ECHOED if self._asked.get(name) is not None},
        }  # fmt: skip

    def _tell(self, kind: str, **members: Any) -> bytes:
        body = {"type": kind, "sequence_number": self._number, **members}
        self._number += 1
        return f"event: {kind}\ndata: {json.dumps(body)}\n\n".encode()


def _said(message: dict[str, Any]) -> dict[str, str]:
    """Returns what a message of a chat says, in the order in which it is told."""
    content, refusal = message.get("content"), message.get("refusal")
    words, thought = parted(content) if isinstance(content, list) else (content, "")
    thoughts = message.get("reasoning_content") or message.get("reasoning") or thought
    said = {"reasoning": thoughts, "message": words, "refusal": refusal}
    return {kind: text if isinstance(text, str) else "" for kind, text in said.items()}


def _member(part: str) -> str:
    """Returns the member of a part that holds its text."""
    return "refusal" if part == "refusal" else "text"


def _usage(usage: dict[str, Any]) -> dict[str, Any]:
    """Returns a claim of tokens in the words of responses."""
    read, written = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    cached = _count(usage.get("prompt_tokens_details"), "cached_tokens")
    thought = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + written,
    }


def _count(counts: Any, name: str) -> int:
    found = counts.get(name) if isinstance(counts, dict) else None
    return found if isinstance(found, int) else 0


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the calls of functions in a message, those that are not one left out."""
    found = message.get("tool_calls")
    calls = [call for call in found if isinstance(call, dict)] if isinstance(found, list) else []
    return [call for call in calls if isinstance(call.get("function"), dict)]
