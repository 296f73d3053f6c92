"""Whether an answer keeps to the API, whatever its words: choices, ends, counts, schemas, calls, and no error as text.

Much of that is looked at before an answer reaches its client, in `gateway.tally` and `gateway.stream`: there it decides
whether another provider is asked. Here it is looked at once more, and more closely, in answers that are audited.

What is wrong beyond dispute, and what no engine that keeps the promises of its offer can write, is a fault, and counts
as a failed audit. Anything else that is odd is told, and no more: honest engines differ in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mercato.compute.gateway.tally import Said
from mercato.compute.model import Receipt, Surface
from mercato.compute.verify.exhibit import HARMLESS, Kept, idle
from mercato.compute.verify.fitting import misfit
from mercato.compute.verify.match import Cut
from mercato.core.events import Json

ENDS = frozenset({"stop", "length", "tool_calls", "function_call", "content_filter"})
#: Members beside which an engine that writes by a schema still holds to it.
UNBENT = HARMLESS - {"stop"} | {
    "top_p", "frequency_penalty", "presence_penalty", "response_format", "tools", "tool_choice", "reasoning_effort",
}  # fmt: skip
PAGES = ("<!doctype html", "<html")
DIGITS = 400


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an answer beyond dispute."""

    why: str

    method = "protocol"

    @property
    def tells(self) -> bool:
        """Whether it can be judged: always."""
        return True

    @property
    def hopeless(self) -> bool:
        """Whether it shows that another model answers: it does not, but that the engine does not do what it offers."""
        return False

    def fails(self, cut: Cut) -> bool:
        """Whether the answer is wrong."""
        return True

    def body(self) -> dict[str, Json]:
        """Returns what an audit keeps of it."""
        return {"why": self.why}


@dataclass(frozen=True, slots=True)
class Note:
    """Something odd about an answer: what kind of thing, and words for people, which repeat nothing of question and
    answer, as they are kept. `sure` where it is a fault."""

    kind: str
    words: str
    sure: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.words}"


def notes(kept: Kept, receipt: Receipt) -> list[Note]:
    """Returns what is odd about an answer, or wrong."""
    if kept.surface is Surface.EMBEDDINGS:
        return list(_vectors(kept))
    return [*_counts(kept, receipt), *(note for one in kept.said for note in _choice(one, kept.body))]


def _vectors(kept: Kept) -> Iterator[Note]:
    found = kept.sampled
    if found is None:
        return
    if found.given != found.asked or found.twice:
        yield Note("vectors", f"{found.given} for {found.asked} inputs{', some twice' * found.twice}", sure=True)
    elif any(it is None for it in found.vectors):
        yield Note("vectors", "one was none: empty, nought, or not finite")


def _counts(kept: Kept, receipt: Receipt) -> Iterator[Note]:
    prompt = kept.body.get("prompt")
    several = len(prompt) if isinstance(prompt, list) and not all(isinstance(it, int) for it in prompt) else 1
    wanted = (kept.body.get("n") or 1) * several
    if len(kept.said) != wanted:  # more would hide those that were asked for; some engines know of one only
        yield Note("choices", f"{len(kept.said)} of {wanted}", sure=len(kept.said) > wanted and _unbent(kept.body))
    if receipt.claimed.completion > receipt.counted.completion:
        yield Note("count", f"{receipt.claimed.completion} tokens were claimed, {receipt.counted.completion} counted")


def _choice(said: Said, body: Mapping[str, Any]) -> Iterator[Note]:
    yield from _end(said, body)
    yield from _called(said, body)
    if not said.calls and not said.refusal and said.end == "stop":
        yield from _formatted(said, body)
        text = said.text.lstrip()[:400].lower()
        if text.startswith(PAGES) or (text.startswith('{"error"') and not body.get("response_format")):
            yield Note("error", "its text is that of an error")


def _end(said: Said, body: Mapping[str, Any]) -> Iterator[Note]:
    if said.end not in ENDS:
        yield Note("finish", "ended by no word that the API has" if said.end else "did not tell why it ended")
    elif said.end == "tool_calls" and not said.calls:
        yield Note("finish", "ended to call a tool, and called none")
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    if said.end == "length" and isinstance(most, int) and not said.calls:
        octets = len((said.text + said.thoughts + said.refusal).encode())
        if octets < most:  # a token is an octet at least
            yield Note("finish", f"ended by length after {octets} of {most} tokens at most")


def _called(said: Said, body: Mapping[str, Any]) -> Iterator[Note]:
    tools = {it["name"]: it for it in map(_function, body.get("tools") or ()) if it.get("name")}
    choice = body.get("tool_choice")
    named = _function(choice).get("name")
    forced = isinstance(named, str) or choice == "required"
    if said.calls and not tools:
        yield Note("tools", "called one, and none was offered")
        return
    if said.calls and choice == "none":
        yield Note("tools", "called one, and none was to be called")
    if len(said.calls) > 1 and body.get("parallel_tool_calls") is False:
        yield Note("tools", f"called {len(said.calls)}, and one at most was to be called")
    if forced and said.end in ("stop", "tool_calls") and not any(named in (None, name) for name, _ in said.calls):
        yield Note("tools", "did not call the one that was named" if named else "called none, and one was to be called")
    for name, given in said.calls:
        if name not in tools:
            yield Note("tools", "called one that was not offered")
        elif said.end != "length" and (wrong := _unfit(given or "{}", tools[name].get("parameters") or {})):
            yield Note("arguments", wrong)


def _formatted(said: Said, body: Mapping[str, Any]) -> Iterator[Note]:
    """Yields where a text is not of the format that was asked for. Engines that take thoughts apart sometimes leave the
    text among them, and a text that ended at a word to stop at need not be whole: both are told only."""
    form = body.get("response_format")
    kind = form.get("type") if isinstance(form, dict) else None
    if not isinstance(form, dict) or kind not in ("json_schema", "json_object"):
        return
    inner = form.get("json_schema") if kind == "json_schema" else None
    inner = inner if isinstance(inner, dict) else {"schema": {"type": "object"}}
    if wrong := _unfit(said.text, inner.get("schema") or {}):
        yield Note("schema", wrong, sure=inner.get("strict") is True and not said.thoughts and _unbent(body))


def _unfit(text: str, schema: Any) -> str:
    try:
        return misfit(json.loads(text, parse_constant=_none, parse_int=_whole), schema)
    except RecursionError:
        return ""
    except ValueError:
        return "a text is no JSON"


def _none(word: str) -> None:
    raise ValueError(word)


def _whole(digits: str) -> int:
    return int(digits[:DIGITS])  # Python reads no number of thousands of digits, and JSON has them


def _unbent(body: Mapping[str, Any]) -> bool:
    """Whether nothing in a question keeps an engine from holding to a schema."""
    return all(name in UNBENT or idle(value) for name, value in body.items())


def _function(tool: Any) -> Mapping[str, Any]:
    found = tool.get("function") if isinstance(tool, dict) else None
    return found if isinstance(found, dict) else {}
