from __future__ import annotations

import httpx
import pytest

MEDIA_TYPE = "application/problem+json"


def test_our_own_error_becomes_a_problem_with_its_hint_and_facts(client: httpx.Client) -> None:
    answer = client.get("/api/tokens/nope")

    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)
    assert answer.json() == {
        "type": "urn:mercato:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "code": "not-found",
        "detail": "token was 'nope', which is unknown",
        "hint": "see /tokens",
        "facts": {"token": "nope", "known": "{'b': 1}"},
        "request_id": answer.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/api/orders", 405, "method-not-allowed"),
        ("GET", "/api/tokens/x?days=0", 422, "invalid-input"),
        ("GET", "/api/tokens/x?days=many", 422, "invalid-input"),
        ("GET", "/api/bug", 500, "internal"),
        ("GET", "/api/slow", 503, "timeout"),
    ],
)
def test_every_failure_is_a_problem(client: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    answer = client.request(method, path)

    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    assert answer.json()["code"] == code


def test_bad_input_is_named_place_by_place_without_its_value(client: httpx.Client) -> None:
    answer = client.post("/api/orders", json={"size": "hunter2"})
    places = {item["place"] for item in answer.json()["errors"]}

    assert places == {"body.symbol", "body.size"}
    assert "hunter2" not in answer.text


def test_malformed_json_is_a_problem(client: httpx.Client) -> None:
    answer = client.post("/api/orders", content=b"{", headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


def test_a_bug_says_nothing_of_itself(client: httpx.Client) -> None:
    assert "1234" not in client.get("/api/bug").text


def test_the_description_of_the_api_shows_the_problem(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    answers = described["paths"]["/api/orders"]["post"]["responses"]

    assert (described["info"]["title"], described["info"]["version"]) == ("Mercato", "1.2.3")
    assert MEDIA_TYPE in answers["default"]["content"]
