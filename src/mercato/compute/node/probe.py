"""What an upstream can do, found out by asking it: a feature is offered only where one small request shows it.

Each question takes at most a few dozen tokens. What an upstream says about itself is believed for its context only.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mercato.compute.errors import Unreached
from mercato.compute.node.upstream import Upstream
from mercato.compute.node.wording import inner, items
from mercato.compute.verify.toploc import FEATURE, Proof
from mercato.core.errors import ConfigError, InvalidInput
from mercato.core.events import Json

WORDS = 32  # tokens that an answer to a question may have
SCHEMA = {
    "type": "object",
    "properties": {"sum": {"type": "integer"}},
    "required": ["sum"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
    },
}


@dataclass(frozen=True, slots=True)
class Found:
    """A model at an upstream: its entry in `/v1/models`, what it showed, its context where that is told, and whether it
    answers chats at all, which one for embeddings does not."""

    model: str
    entry: Mapping[str, Json]
    features: frozenset[str]
    context: int | None
    talks: bool


async def listed(upstream: Upstream) -> dict[str, Mapping[str, Json]]:
    """Returns the models of an upstream by name; ConfigError where it does not answer as OpenAI's API does."""
    try:
        status, body = await upstream.read("/models", seconds=10)
        if status != 200:
            raise InvalidInput(f"status was {status}", hint="expected 200")
        entries = [inner(item, "a model") for item in items(body, "data", most=10_000)]
    except (Unreached, InvalidInput) as wrong:
        hint = "start the model's server first; the address ends in /v1"
        raise ConfigError(f"upstream {upstream.url!r} told no models: {wrong}", hint=hint) from None
    return {str(entry.get("id")): entry for entry in entries}


async def probed(upstream: Upstream, model: str) -> Found:
    """Returns what a model shows; ConfigError where the upstream does not have it, or it answers nothing at all."""
    models = await listed(upstream)
    if model not in models:
        known = ", ".join(sorted(models)[:10])
        raise ConfigError(f"upstream had no model {model!r}", hint=f"it has {known}; see --upstream-model")
    shown = {name for name, question in QUESTIONS.items() if await _shows(question, upstream, model)}
    if not shown & {"chat", "embeddings"}:
        raise ConfigError(f"upstream's model {model!r} answered nothing", hint="try it with curl first")
    return Found(model, models[model], frozenset(shown - {"chat"}), context(models[model]), "chat" in shown)


def context(entry: Mapping[str, Json]) -> int | None:
    """Returns the context that an entry of `/v1/models` tells: vLLM's `max_model_len`, or llama.cpp's `meta`."""
    meta = entry.get("meta")
    told = [entry.get("max_model_len"), entry.get("context_length")]
    told += [meta.get("n_ctx"), meta.get("n_ctx_train")] if isinstance(meta, dict) else []
    return next((value for value in told if isinstance(value, int) and value > 0), None)


Question = Callable[[Upstream, str], Awaitable[bool]]


async def _shows(question: Question, upstream: Upstream, model: str) -> bool:
    try:
        return await question(upstream, model)
    except (Unreached, InvalidInput):
        return False


async def _chat(upstream: Upstream, model: str, words: str, **more: Any) -> dict[str, Json]:
    """Returns the first choice of an answer, {} where the status is not 200."""
    body = {"model": model, "messages": [{"role": "user", "content": words}], "max_tokens": WORDS, **more}
    status, answer = await upstream.read("/chat/completions", json.dumps(body).encode())
    choices = items(answer, "choices", most=16) if status == 200 else ()
    return inner(choices[0], "choice") if choices else {}


async def _talks(upstream: Upstream, model: str) -> bool:
    return bool(await _chat(upstream, model, "Say hello.", temperature=0))


async def _calls_tools(upstream: Upstream, model: str) -> bool:
    choice = await _chat(upstream, model, "What is 2 + 3? Use the tool.", tools=[TOOL], tool_choice="required")
    message = choice.get("message")
    return isinstance(message, dict) and bool(message.get("tool_calls"))


async def _keeps_to_schema(upstream: Upstream, model: str) -> bool:
    wanted = {"type": "json_schema", "json_schema": {"name": "sum", "schema": SCHEMA, "strict": True}}
    choice = await _chat(upstream, model, "What is 2 + 3?", response_format=wanted)
    message = choice.get("message")
    try:
        said = json.loads(str(message.get("content"))) if isinstance(message, dict) else None
    except ValueError:
        return False
    return isinstance(said, dict) and set(said) == {"sum"} and isinstance(said["sum"], int)


async def _tells_logprobs(upstream: Upstream, model: str) -> bool:
    choice = await _chat(upstream, model, "Say hello.", logprobs=True, top_logprobs=1)
    told = choice.get("logprobs")
    return isinstance(told, dict) and bool(told.get("content"))


async def _keeps_seeds(upstream: Upstream, model: str) -> bool:
    """Two runs with one seed agree, and one with another seed does not: else it may just not draw at all."""
    words = "Write some random words."
    said = [(await _chat(upstream, model, words, seed=seed, temperature=1)).get("message") for seed in (7, 7, 8)]
    return said[0] is not None and said[0] == said[1] != said[2]


async def _embeds(upstream: Upstream, model: str) -> bool:
    status, answer = await upstream.read("/embeddings", json.dumps({"model": model, "input": "hello"}).encode())
    found = items(answer, "data", most=16) if status == 200 else ()
    return bool(found) and bool(inner(found[0], "embedding").get("embedding"))


async def _commits(upstream: Upstream, model: str) -> bool:
    found = (await _chat(upstream, model, "Say hello.", temperature=0)).get(FEATURE)
    return isinstance(found, list) and any(Proof.read(one) for one in found)


QUESTIONS: Mapping[str, Question] = {
    "chat": _talks,
    "tools": _calls_tools,
    "json_schema": _keeps_to_schema,
    "logprobs": _tells_logprobs,
    "seed": _keeps_seeds,
    "embeddings": _embeds,
    FEATURE: _commits,
}
