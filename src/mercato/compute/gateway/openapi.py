"""The gateway's OpenAPI document: what it checks, and nothing that it does not.

Members of a request that are not named here go on to the provider as they came.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any

from mercato.compute.gateway import checks, wishes
from mercato.compute.gateway.checks import Bounds

Schema = dict[str, Any]
_HEDGED: Schema = {"not": {"enum": [None, False]}}


@cache
def document(bounds: Bounds) -> Schema:
    """Returns the document for what one request may hold."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mercato compute gateway", "version": version("mercato"), "summary": "Open models, metered."},
        "security": [{"bearer": []}],
        "paths": {**_asked(bounds), **_read()},
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "A key, mk_…."}},
            "schemas": {"Error": _error(), "Provider": _wish(), **_requests(bounds)},
        },
    }


def _asked(bounds: Bounds) -> Schema:
    whole = {"type": "object", "required": ["choices"]}
    return {
        "/v1/chat/completions": _post("ChatRequest", "Complete a chat", whole, stream=True),
        "/v1/completions": _post("CompletionRequest", "Complete a text", whole, stream=True),
        "/v1/embeddings": _post(
            "EmbeddingRequest", "Turn text into vectors", {"type": "object", "required": ["data"]}, stream=False
        ),
        "/v1/responses": _post(
            "ResponseRequest", "Create a response, which is not kept",
            {"type": "object", "required": ["id", "output", "status"]}, stream=True,
        ),
    }  # fmt: skip


def _read() -> Schema:
    listed = {"type": "object", "required": ["object", "data"], "properties": {"data": {"type": "array"}}}
    named = {"type": "object", "required": ["id", "object"]}
    return {
        "/v1/models": _get("List models with their lowest prices", listed),
        "/v1/models/{id}": _get("Show a model", named, "id"),
        "/v1/providers": _get("List providers with their offers and how they fare", listed),
        "/v1/receipts/{id}": _get("Show the receipt of a request of this key", named, "id"),
        "/v1/proofs/{id}": _get("Show that receipt with the proof that its epoch's root counts it", named, "id"),
        "/v1/epochs": _get("List closed epochs with their roots, and the key that signs receipts", listed),
        "/v1/audit/{id}": _get("Show what an audit found of a request of this key", named, "id"),
        "/v1/audits": _get("Show each hour's commitment to its draws, and its secret once it is over", listed),
    }


def _post(name: str, summary: str, answer: Schema, *, stream: bool) -> Schema:
    kinds: Schema = {"application/json": {"schema": answer}}
    if stream:
        kinds["text/event-stream"] = {"schema": {"type": "string"}}
    headers = {
        header: {"schema": {"type": "string"}, "description": text}
        for header, text in (
            ("x-request-id", "Names the receipt."), ("x-provider", "Who answered."),
            ("x-cost-micro", "Micro-dollars; a stream tells it in a comment before its end."),
            ("x-verified", "always, sampled or none; then the provider's standing."),
        )
    }  # fmt: skip
    key = {
        "name": "Idempotency-Key", "in": "header", "required": False,
        "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]*$"},
    }  # fmt: skip
    body = {"required": True, "content": {"application/json": {"schema": _ref(name)}}}
    found = {"description": "The answer", "headers": headers, "content": kinds}
    return {
        "post": {
            "summary": summary, "operationId": name.removesuffix("Request").lower(), "parameters": [key],
            "requestBody": body, "responses": {"200": found, "default": _refused()},
        }
    }  # fmt: skip


def _get(summary: str, answer: Schema, parameter: str = "") -> Schema:
    found = {"description": "What was asked for", "content": {"application/json": {"schema": answer}}}
    place = {"name": parameter, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    return {
        "get": {
            "summary": summary, "parameters": [place] if parameter else [],
            "responses": {"200": found, "default": _refused()},
        }
    }  # fmt: skip


def _refused() -> Schema:
    return {"description": "Why not", "content": {"application/json": {"schema": _ref("Error")}}}


def _error() -> Schema:
    text = {"type": "string"}
    inner = {"message": text, "type": text, "param": {"type": ["string", "null"]}, "code": text}
    error = {"type": "object", "required": list(inner), "properties": inner}
    return {"type": "object", "required": ["error"], "properties": {"error": error}}


def _requests(bounds: Bounds) -> Schema:
    extra: Schema = {"additionalProperties": not bounds.deny}
    common = _common(bounds)
    chat = {
        **common, "messages": _list(_message(), 1, bounds.messages),
        "tools": _or_null(_list(_tool(), 0, checks.MOST_TOOLS)),
        "functions": _or_null(_list(_function(), 0, checks.MOST_TOOLS)),
        "response_format": _or_null(_format()), "logprobs": {"type": ["boolean", "null"]},
        "top_logprobs": _whole(0, 20), "max_tokens": _whole(1, bounds.tokens),
        "max_completion_tokens": _whole(1, bounds.tokens),
    }  # fmt: skip
    completion = {
        **common, "prompt": _texts(0), "max_tokens": _whole(1, bounds.tokens), "echo": {"type": ["boolean", "null"]},
    }  # fmt: skip
    embedding = {
        "model": _model(), "provider": _or_null(_ref("Provider")), "input": _texts(1),
        "dimensions": _whole(1, 1_000_000), "encoding_format": {"enum": [None, "float", "base64"]},
    }  # fmt: skip
    response = {
        "model": _model(), "provider": _or_null(_ref("Provider")), "stream": {"type": ["boolean", "null"]},
        "input": {"type": "string"}, "instructions": {"type": ["string", "null"]},
        "max_output_tokens": _whole(1, bounds.tokens), "store": {"enum": [None, False]},
        "previous_response_id": {"type": "null"}, "temperature": _number(), "top_p": _number(),
    }  # fmt: skip
    stored = {**extra, "not": _hedged("store")}
    extra["not"] = {"anyOf": [_hedged("stream"), _hedged("store")]}
    return {
        "ChatRequest": {"type": "object", "required": ["model", "messages"], "properties": chat, **extra},
        "CompletionRequest": {"type": "object", "required": ["model", "prompt"], "properties": completion, **extra},
        "EmbeddingRequest": {"type": "object", "required": ["model", "input"], "properties": embedding, **stored},
        "ResponseRequest": {"type": "object", "required": ["model", "input"], "properties": response, **extra},
    }


def _hedged(member: str) -> Schema:
    """Returns a request with a member that does not go with asking two providers."""
    hedge = {"type": "object", "required": ["hedge"], "properties": {"hedge": _HEDGED}}
    given = {"not": {"enum": [None, False]}}
    return {"required": ["provider", member], "properties": {"provider": hedge, member: given}}


def _common(bounds: Bounds) -> Schema:
    stop = [{"type": "string"}, {"type": "null"}, _list({"type": "string"}, 0, checks.MOST_STOPS)]
    numbers = {name: _number() for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty")}
    return {
        "model": _model(), "provider": _or_null(_ref("Provider")), "stream": {"type": ["boolean", "null"]},
        "stream_options": {"type": ["object", "null"]}, "n": _whole(1, bounds.choices), "stop": {"anyOf": stop},
        **numbers,
    }  # fmt: skip


def _message() -> Schema:
    said = [{"type": "string"}, _list(_part(), 0, checks.MOST_PARTS)]
    calls = _or_null(_list({"type": "object"}, 0, checks.MOST_TOOLS))
    silent = sorted(checks.SILENT)
    return {
        "anyOf": [
            {
                "type": "object", "required": ["role", "content"],
                "properties": {"role": {"enum": sorted(checks.ROLES)}, "content": {"anyOf": said}, "tool_calls": calls},
            },
            {
                "type": "object", "required": ["role"],
                "properties": {"role": {"enum": silent}, "content": {"type": "null"}, "tool_calls": calls},
            },
        ]
    }  # fmt: skip


def _part() -> Schema:
    return {
        "anyOf": [
            {
                "type": "object", "required": ["type", name],
                "properties": {"type": {"const": name}, name: {"type": "string"}},
            }
            for name in ("text", "refusal")
        ]
        + [{"type": "object", "required": ["type"], "properties": {"type": {"enum": sorted(checks.SEEN)}}}]
    }  # fmt: skip


def _function() -> Schema:
    schema = {"type": ["object", "null"], "description": "A JSON schema without references to itself."}
    return {
        "type": "object", "required": ["name"],
        "properties": {"name": {"type": "string", "pattern": f"^{checks.NAME.pattern}$"}, "parameters": schema},
    }  # fmt: skip


def _tool() -> Schema:
    known = {"type": {"const": "function"}, "function": _function()}
    return {"type": "object", "required": ["type", "function"], "properties": known}


def _format() -> Schema:
    inner = {"type": "object", "properties": {"schema": {"type": ["object", "null"]}}}
    return {
        "anyOf": [
            {"type": "object", "required": ["type"], "properties": {"type": {"enum": ["text", "json_object"]}}},
            {
                "type": "object", "required": ["type", "json_schema"],
                "properties": {"type": {"const": "json_schema"}, "json_schema": inner},
            },
        ]
    }  # fmt: skip


def _wish() -> Schema:
    names = _list({"type": "string"}, 0, wishes.MOST_NAMES)
    price = {"type": "integer", "minimum": 0, "maximum": wishes.MOST_PRICE}
    bounds: Schema = {"prompt": price, "completion": price}
    most = {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": bounds}
    yes = {"type": "boolean"}
    alone: Schema = {"hedge": _HEDGED, "allow_fallbacks": {"const": False}}
    return {
        "type": "object", "additionalProperties": False, "not": {"required": list(alone), "properties": alone},
        "description": "Who may answer. Prices are micro-dollars for a million tokens, quality is in ten-thousandths.",
        "properties": {
            "order": names, "only": names, "ignore": names, "max_price": _or_null(most),
            "sort": {"enum": sorted(wishes.SORTS)}, "min_quality": {"type": "integer", "minimum": 0, "maximum": 10_000},
            "zdr": yes, "verify": {"enum": sorted(wishes.CHECKS)}, "allow_fallbacks": yes,
            "data_collection": {"enum": ["allow", "deny"]},
            "tee": {"enum": [None, True, False, *sorted(wishes.MACHINES)],
                    "description": "What its machine must have proven; true is attested."},
            "hedge": {
                "anyOf": [
                    {"type": ["boolean", "null"]},
                    {"type": "integer", "minimum": wishes.LEAST_HEDGE, "maximum": wishes.MOST_HEDGE},
                ],
                "description": "Milliseconds after which a second provider is asked too; not for streams.",
            },
        },
    }  # fmt: skip


def _texts(least: int) -> Schema:
    """Returns what `prompt` and `input` may be; text may be empty where `least` is 0."""
    text = {"type": "string", "minLength": least}
    token = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
    tokens = {"type": "array", "items": token, "minItems": 1}
    return {"anyOf": [text, {**tokens}, _list({"anyOf": [text, tokens]}, 1, checks.MOST_INPUTS)]}


def _model() -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"}


def _whole(least: int, most: int) -> Schema:
    return {"type": ["integer", "null"], "minimum": least, "maximum": most}


def _number() -> Schema:
    return {"type": ["number", "null"], "minimum": -checks.MOST_NUMBER, "maximum": checks.MOST_NUMBER}


def _list(items: Schema, least: int, most: int) -> Schema:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
