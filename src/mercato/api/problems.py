"""Errors on the wire: RFC 9457 problem details, the same for our own errors, bad input and unknown paths.

A browser that asks for a page gets a page: whoever wires the application gives a renderer for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mercato.core.errors import MercatoError

MEDIA_TYPE = "application/problem+json"
Problem = dict[str, Any]
PageRenderer = Callable[[Problem], Response]

log = structlog.get_logger("mercato.api")

#: The schema of every error answer, as OpenAPI shows it.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "description": "a URI that names the kind of problem"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "the kind of problem in one word, stable across releases"},
        "detail": {"type": "string", "description": "what was wrong, with the value"},
        "hint": {"type": "string", "description": "what to do"},
        "facts": {"type": "object", "description": "the public values behind the problem"},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "each part of the input at fault"},
        "request_id": {"type": "string"},
    },
}


def problem(status: int, code: str, detail: str = "", *, title: str = "", hint: str = "", **more: object) -> Problem:
    """Returns the members of a problem; empty ones are left out."""
    members: Problem = {
        "type": f"urn:mercato:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "hint": hint,
        **more,
    }
    return {key: value for key, value in members.items() if value not in ("", None, {}, [])}


def of_error(error: MercatoError) -> Problem:
    """Returns the problem of one of our own errors."""
    facts = {key: _plain(value) for key, value in error.facts.items()}
    return problem(error.status, error.code, error.message, hint=error.hint, facts=facts)


def of_status(status: int, detail: str = "") -> Problem:
    """Returns the problem of a bare HTTP status, such as 404 or 405."""
    phrase = HTTPStatus(status).phrase
    return problem(status, phrase.lower().replace(" ", "-"), "" if detail == phrase else detail)


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Returns the problem of input that did not fit its schema: each place with its reason, no echo of the input."""
    places = [{"place": ".".join(str(part) for part in item["loc"]), "reason": item["msg"]} for item in errors]
    detail = "; ".join(f"{item['place']}: {item['reason']}" for item in places)
    return problem(422, "invalid-input", detail, hint="see /openapi.json for what is accepted", errors=places)


def answer(request: Request, body: Problem, page: PageRenderer | None, headers: Mapping[str, str]) -> Response:
    """Returns the problem as JSON, or as a page where a browser asked for one."""
    body = {**body, **({"request_id": request.state.request_id} if hasattr(request.state, "request_id") else {})}
    if page is not None and _wants_page(request):
        response = page(body)
        response.headers.update(headers)
        return response
    return JSONResponse(body, status_code=body["status"], headers=dict(headers), media_type=MEDIA_TYPE)


def install(app: FastAPI, page: PageRenderer | None) -> None:
    """Teaches an application to answer every error as a problem."""

    async def on_mercato(request: Request, error: Exception) -> Response:
        assert isinstance(error, MercatoError)
        if error.status >= 500:
            log.warning("request failed", code=error.code, detail=error.message, hint=error.hint)
        return answer(request, of_error(error), page, {})

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer(request, of_status(error.status_code, str(error.detail or "")), page, error.headers or {})

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, of_validation(error.errors()), page, {})

    app.add_exception_handler(MercatoError, on_mercato)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)


def _wants_page(request: Request) -> bool:
    """Says whether the client is a browser asking for a page: it names HTML and is no htmx or fetch call."""
    return "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers


def _plain(value: object) -> object:
    """Returns a fact as JSON can carry it."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value)
