from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api.conftest import FAULTS


def test_a_request_keeps_a_well_formed_id_and_gets_one_otherwise(client: httpx.Client) -> None:
    kept = client.get("/healthz", headers={"x-request-id": "trace-12345678"})
    made = client.get("/healthz", headers={"x-request-id": "bad id <script>"})

    assert kept.headers["x-request-id"] == "trace-12345678"
    assert len(made.headers["x-request-id"]) == 16


def test_security_headers_are_on_every_answer(client: httpx.Client) -> None:
    for path in ("/healthz", "/nowhere", "/api/bug", "/api/slow"):
        headers = client.get(path).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "server" not in headers


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(client: httpx.Client) -> None:
    fits = client.post("/api/raw", content=b"x" * 1000)
    over = client.post("/api/raw", content=b"x" * 1001)

    assert fits.json() == {"octets": 1000}
    assert (over.status_code, over.json()["code"]) == (413, "too-large")


def test_a_body_without_a_length_is_counted_as_it_comes(client: httpx.Client) -> None:
    def parts() -> Iterator[bytes]:
        yield from [b"x" * 400] * 3

    assert client.post("/api/raw", content=parts()).status_code == 413


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("null", 403), ("https://friend.example", 200), (None, 200)],
)
def test_only_our_own_pages_and_named_friends_may_change_something(
    client: httpx.Client, origin: str | None, status: int
) -> None:
    headers = {"origin": origin} if origin else {}

    assert client.post("/api/raw", content=b"x", headers=headers).status_code == status


def test_our_own_page_may_change_something(client: httpx.Client) -> None:
    origin = str(client.base_url).rstrip("/")

    assert client.post("/api/raw", content=b"x", headers={"origin": origin}).status_code == 200


def test_large_answers_are_compressed(client: httpx.Client) -> None:
    answer = client.get("/api/large")

    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.text) == 100_000


def test_readiness_follows_the_checks_and_liveness_does_not(client: httpx.Client) -> None:
    before = client.get("/readyz")
    FAULTS.append("database was at step None")
    during, alive = client.get("/readyz"), client.get("/healthz")
    FAULTS.clear()

    assert (before.status_code, before.json()) == (200, {"status": "ready", "failed": {}})
    assert (during.status_code, during.json()) == (503, {"status": "not ready", "failed": {"database": "Conflict"}})
    assert alive.json() == {"status": "alive"}


def test_metrics_count_requests_by_the_template_of_their_route(client: httpx.Client) -> None:
    client.get("/api/tokens/aaa")
    client.get("/api/tokens/bbb")
    client.get("/not/a/path/1")
    text = client.get("/metrics").text

    assert 'mercato_requests_total{method="GET",route="/api/tokens/{token}",status="404"}' in text
    assert 'route="other"' in text
    assert "aaa" not in text
