"""What a stub provider says, as bodies and events of OpenAI's API. Answers come from the toy model; a token is a word.

The state of a prompt is a hash of its text, so that equal requests get equal answers at temperature 0.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from mercato.compute.fleet.toy import WORDS, Toy, after, mix, reading, sensitivity
from mercato.compute.verify import activations, synced, toploc, vectors

LONGEST = 512  # tokens that a stub writes at most
USUAL = 12  # tokens where the request sets no bound
CREATED = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that reached a stub."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def stream(self) -> bool:
        """Whether events are wanted."""
        return self.body.get("stream") is True

    @property
    def chat(self) -> bool:
        """Whether it asks for a chat's next message, and not to go on with a text."""
        return self.path.endswith("/chat/completions")

    def text(self) -> str:
        """Returns everything that the model reads."""
        if "messages" in self.body:
            return "\n".join(_plain(message.get("content")) for message in self.body["messages"])
        return _plain(self.body.get("prompt", self.body.get("input", "")))

    @property
    def seeded(self) -> tuple[int, float] | None:
        """The seed and the temperature where chance has a part that a seed fixes; None elsewhere."""
        heat, seed = self.body.get("temperature"), self.body.get("seed")
        return (seed, float(heat)) if heat and isinstance(seed, int) else None

    def length(self) -> int:
        """Returns how many tokens to write."""
        most = self.body.get("max_completion_tokens") or self.body.get("max_tokens") or USUAL
        return max(1, min(int(most), LONGEST))


def state(text: str) -> np.uint64:
    """Returns the hash that stands for a prompt."""
    return np.uint64(int.from_bytes(blake2b(text.encode(), digest_size=8).digest()))


def words(model: Toy, text: str, length: int) -> list[str]:
    """Returns what the toy model writes after a text, word by word."""
    tokens = model.answers(np.array([state(text)], np.uint64), length)[0]
    return [WORDS[token] for token in tokens]


def drawn(model: Toy, text: str, length: int, seed: int, heat: float) -> list[str]:
    """Returns what the toy model writes after a text at a temperature, word by word, drawn as `synced` says."""
    written: list[int] = []
    for place, scores in enumerate(_walk(model, text, written, length)):
        written.append(synced.drawn(scores, seed, place, heat))
    return [WORDS[token] for token in written]


def scores(model: Toy, text: str, claimed: Sequence[str]) -> list[dict[int, float]]:
    """Returns for each claimed word what the toy model says of all that could stand there, the word itself first; one
    that it does not know has the number -1."""
    tokens = [WORDS.index(word) if word in WORDS else -1 for word in claimed]
    found = _walk(model, text, tokens, len(tokens))
    return [{token: told.get(token, -99.0), **told} for token, told in zip(tokens, found, strict=True)]


def _walk(model: Toy, text: str, written: Sequence[int], length: int) -> Iterator[dict[int, float]]:
    """Yields what the model says of each token after a text and what was written by then."""
    prompt = np.array([state(text)], np.uint64)
    with np.errstate(over="ignore"):
        spread, here = sensitivity(prompt), mix(prompt)
        for place in range(length):
            numbers = model.numbers(here, spread)[0]
            yield dict(enumerate((numbers - np.logaddexp.reduce(numbers)).tolist()))
            here = after(here, np.array([written[place]], np.int64))


def ranks(model: Toy, text: str, claimed: Sequence[str]) -> list[int]:
    """Returns for each claimed word 1 where the toy model would have written it too, and 2 where not."""
    tokens = np.array([[WORDS.index(word) if word in WORDS else -1 for word in claimed]], np.int64)
    if not claimed:
        return []
    preferred = model.preferred(np.array([state(text)], np.uint64), tokens)[0]
    return [1 if a == b else 2 for a, b in zip(preferred, tokens[0], strict=True)]


def usage(asked: Asked, written: int, claim: int = 1) -> dict[str, int]:
    """Returns the usage object; `claim` is how many times over a liar counts."""
    read, wrote = len(asked.text().split()) * claim, written * claim
    return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}


def whole(asked: Asked, written: Sequence[str], claim: int = 1, proofs: Sequence[str] = ()) -> dict[str, Any]:
    """Returns the body of an answer that is not streamed."""
    model, kind = asked.body.get("model", ""), "chat.completion" if asked.chat else "text_completion"
    choices = [_choice(asked, written, index) for index in range(asked.body.get("n") or 1)]
    choices = [{**one, toploc.FEATURE: list(proofs)} for one in choices] if proofs else choices
    spent = usage(asked, len(_pieces(asked, written)) * len(choices), claim)
    return {"id": "stub-1", "object": kind, "created": CREATED, "model": model, "choices": choices, "usage": spent}


def events(
    asked: Asked, written: Sequence[str], claim: int = 1, proofs: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Yields the events of a stream: role, a word each, the finish with the commitments to the answer, and the usage
    where it was asked for."""
    about = {"id": "stub-1", "created": CREATED, "model": asked.body.get("model", "")}
    about["object"] = "chat.completion.chunk" if asked.chat else "text_completion"
    several, pieces = range(asked.body.get("n") or 1), _pieces(asked, written)
    for index in several:
        if asked.chat:
            yield {**about, "choices": [_delta(asked, {"role": "assistant", "content": ""}, index=index)]}
    if tool := _tool(asked):
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": tool, "arguments": ""}}
        piece = {"index": 0, "function": {"arguments": "{}"}}
        for index in several:
            yield {**about, "choices": [_delta(asked, {"tool_calls": [call]}, index=index)]}
            yield {**about, "choices": [_delta(asked, {"tool_calls": [piece]}, index=index)]}
    else:
        for place, word in enumerate(pieces):
            for index in several:
                said = {"content": word if place == 0 else f" {word}"}
                yield {**about, "choices": [_delta(asked, said, index=index)]}
    for index in several:
        last = _delta(asked, {}, finish(asked, len(pieces)), index=index)
        yield {**about, "choices": [{**last, toploc.FEATURE: list(proofs)} if proofs else last]}
    if (asked.body.get("stream_options") or {}).get("include_usage"):
        yield {**about, "choices": [], "usage": usage(asked, len(pieces) * len(several), claim)}


def read(asked: Asked) -> list[str]:
    """Returns the tokens that the toy model reads before its answer: words, and a mark at the head of each message."""
    if "messages" not in asked.body:
        return asked.text().split()
    told = [[f"<{one.get('role')}>", *_plain(one.get("content")).split()] for one in asked.body["messages"]]
    mark = [] if asked.body.get("continue_final_message") else ["<assistant>"]
    return [*(word for each in told for word in each), *mark]


def states(model: Toy, tokens: Sequence[str]) -> activations.States:
    """Returns the toy model's last hidden states [token, number] of what it reads, as bfloat16."""
    hashed = np.array([state(token) for token in tokens], np.uint64)
    spread = np.repeat(sensitivity(hashed[:1]), len(hashed))
    return activations.rounded(model.hidden(reading(hashed), spread))


def proofs(model: Toy, asked: Asked, written: Sequence[str]) -> list[str]:
    """Returns the commitments to an answer: the last word was written and not read."""
    prompt = read(asked)
    return activations.committed(states(model, [*prompt, *written[:-1]]), len(prompt))


def embeddings(asked: Asked, model: Toy, same: bool = False) -> dict[str, Any]:
    """Returns the toy model's embedding of each text; with `same`, that of the first one for all."""
    texts = [str(one) for one in vectors.inputs(asked.body.get("input", ""))]
    states = np.array([state(text) for text in texts], np.uint64)
    found = model.vectors(states[:1].repeat(len(states)) if same else states)[:, : asked.body.get("dimensions")]
    packed = asked.body.get("encoding_format") == "base64"
    told = [b64encode(one.astype("<f4").tobytes()).decode() if packed else one.tolist() for one in found]
    data = [{"object": "embedding", "index": place, "embedding": one} for place, one in enumerate(told)]
    read = sum(len(text.split()) for text in texts)
    spent = {"prompt_tokens": read, "total_tokens": read}
    return {"object": "list", "data": data, "model": asked.body.get("model", ""), "usage": spent}


def finish(asked: Asked, written: int) -> str:
    """Returns why the answer ended: a tool to call, its bound, or by itself."""
    if _tool(asked):
        return "tool_calls"
    bound = asked.body.get("max_completion_tokens") or asked.body.get("max_tokens")
    return "length" if bound and written >= int(bound) else "stop"


def instance(schema: Mapping[str, Any], written: Sequence[str]) -> Any:
    """Returns the simplest value that fits a JSON schema of the common kinds."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type", "object"):
        case "object":
            return {name: instance(part, written) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [instance(schema.get("items", {}), written)]
        case "integer" | "number":
            return len(written)
        case "boolean":
            return True
        case _:
            return " ".join(written)


def _choice(asked: Asked, written: Sequence[str], index: int) -> dict[str, Any]:
    end = {"index": index, "finish_reason": finish(asked, len(_pieces(asked, written))), "logprobs": None}
    text = _formatted(asked, written)
    if not asked.chat:
        return {**end, "text": text}
    if tool := _tool(asked):
        call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": "{}"}}
        return {**end, "message": {"role": "assistant", "content": None, "tool_calls": [call]}}
    return {**end, "message": {"role": "assistant", "content": text}}


def _delta(asked: Asked, delta: dict[str, Any], end: str | None = None, *, index: int = 0) -> dict[str, Any]:
    if asked.chat:
        return {"index": index, "delta": delta, "finish_reason": end}
    return {"index": index, "text": delta.get("content", ""), "finish_reason": end}


def _pieces(asked: Asked, written: Sequence[str]) -> list[str]:
    """The tokens of an answer, of the format that it shall have."""
    tool = _tool(asked)
    return [tool, "{}"] if tool else _formatted(asked, written).split(" ")


def _formatted(asked: Asked, written: Sequence[str]) -> str:
    kind = asked.body.get("response_format") or {}
    if kind.get("type") == "json_schema":
        return json.dumps(instance(kind["json_schema"].get("schema", {}), written), ensure_ascii=False)
    if kind.get("type") == "json_object":
        return json.dumps({"answer": " ".join(written[1:])}, ensure_ascii=False)
    return " ".join(written)


def _tool(asked: Asked) -> str:
    """The tool that is called: the one the request insists on, or its first where any must be called."""
    choice, tools = asked.body.get("tool_choice"), asked.body.get("tools") or []
    if isinstance(choice, dict):
        return str(choice.get("function", {}).get("name", ""))
    return str(tools[0]["function"]["name"]) if tools and choice == "required" else ""


def _plain(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(_plain(part.get("text", "") if isinstance(part, dict) else part) for part in content)
    return "" if content is None else str(content)
