"""The polite client, against a real server on loopback."""

import logging
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import structlog

from mercato.core.clock import HandClock
from mercato.core.errors import SourceError
from mercato.core.settings import Secret
from mercato.market.connectors.errors import Postponed, UnsafeAnswer
from mercato.market.connectors.http import Client
from mercato.market.connectors.retry import Retries, retry_after
from mercato.market.connectors.testing import RecordedSource, Reply, reply

Make = Callable[..., Client]
OK = reply({"ok": True})
KEY = "made-up-key-0123456789"


def test_an_answer_carries_content_time_and_few_headers(source: RecordedSource, client: Make, clock: HandClock) -> None:
    source.play("/a", reply({"ok": True}, headers={"etag": '"1"', "set-cookie": "id=7", "x-request-id": "9"}))

    answer = client().get(f"{source.url}/a", {"q": "x y"})

    assert (answer.content, answer.observed_at, answer.unchanged) == (b'{"ok": true}', clock.now(), False)
    assert set(answer.headers) == {"content-type", "date", "etag"}
    assert source.seen[0].query == {"q": ["x y"]}


def test_a_429_is_waited_for_as_the_source_asks(source: RecordedSource, client: Make, clock: HandClock) -> None:
    source.play("/a", Reply(status=429, headers={"retry-after": "7"}), OK)

    client().get(f"{source.url}/a")

    assert clock.slept == [7.0]


def test_retry_after_may_be_a_date(source: RecordedSource, client: Make, clock: HandClock) -> None:
    until = format_datetime(clock.now() + timedelta(seconds=30), usegmt=True)
    source.play("/a", Reply(status=503, headers={"retry-after": until}), OK)

    client().get(f"{source.url}/a")

    assert clock.slept == [30.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("soon", None),
        ("", None),
        ("-3", None),
        ("12", 12.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Sun, 15 Nov 2026 12:01:00 GMT", 60.0),
    ],
)
def test_retry_after_is_read_as_rfc_9110_says(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, datetime(2026, 11, 15, 12, tzinfo=UTC)) == seconds


def test_a_long_retry_after_ends_the_run_with_the_time_to_go_on(source: RecordedSource, client: Make) -> None:
    source.play("/a", Reply(status=429, headers={"retry-after": "3600"}))

    with pytest.raises(Postponed) as caught:
        client().get(f"{source.url}/a")

    assert caught.value.facts["retry_at"] == "2026-11-15T13:00:00+00:00"
    assert len(source.seen) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_server_errors_are_retried_with_growing_jittered_waits(
    source: RecordedSource, client: Make, clock: HandClock, status: int
) -> None:
    source.play("/a", Reply(status=status), Reply(status=status), OK)

    client().get(f"{source.url}/a")

    first, second = clock.slept
    assert 0.5 <= first <= 1.0
    assert 1.0 <= second <= 2.0


def test_a_source_that_stays_down_is_said_to_be_unavailable(source: RecordedSource, client: Make) -> None:
    source.play("/a", Reply(status=500))

    with pytest.raises(SourceError, match="no answer in 2 attempts: it answered 500"):
        client(retries=Retries(attempts=2)).get(f"{source.url}/a")

    assert len(source.seen) == 2


def test_4xx_is_not_asked_again(source: RecordedSource, client: Make) -> None:
    with pytest.raises(SourceError) as caught:
        client().get(f"{source.url}/nowhere", {"secret-looking": "x"})

    assert caught.value.facts["status"] == 404
    assert "secret-looking" not in str(caught.value)
    assert len(source.seen) == 1


def test_a_silent_server_times_out_and_is_asked_again(source: RecordedSource, client: Make) -> None:
    source.play("/a", reply({}, delay=3.0), OK)

    answer = client(read_seconds=1.0).get(f"{source.url}/a")

    assert answer.content == OK.body


def test_a_dripping_body_is_cut_at_the_deadline(source: RecordedSource, client: Make) -> None:
    source.play("/a", Reply(b"x" * 500, drip=0.05))

    with pytest.raises(SourceError, match="ReadTimeout"):
        client(total_seconds=0.4, retries=Retries(attempts=1)).get(f"{source.url}/a")


def test_a_cut_connection_is_asked_again(source: RecordedSource, client: Make) -> None:
    source.play("/a", Reply(b"x" * 100, cut=40), OK)

    assert client().get(f"{source.url}/a").content == OK.body


def test_a_truncated_gzip_body_is_asked_again(source: RecordedSource, client: Make) -> None:
    import gzip

    half = gzip.compress(b"x" * 9000)[:-9]
    source.play("/a", Reply(half, headers={"content-encoding": "gzip"}), OK)

    assert client().get(f"{source.url}/a").content == OK.body


def test_gzip_is_unpacked(source: RecordedSource, client: Make) -> None:
    body = bytes(range(256)) * 2000
    source.play("/a", Reply(body, zipped=True))

    assert client().get(f"{source.url}/a").content == body
    assert source.seen[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Reply(b"x" * 20_000), id="announced"),
        pytest.param(Reply(b"\0" * 50_000_000, zipped=True), id="bomb"),
        pytest.param(Reply(b"x", headers={"content-encoding": "br"}), id="another packing"),
    ],
)
def test_bodies_that_are_too_large_are_refused(source: RecordedSource, client: Make, answer: Reply) -> None:
    source.play("/a", answer)

    with pytest.raises(UnsafeAnswer):
        client(max_bytes=10_000).get(f"{source.url}/a")

    assert len(source.seen) == 1


def test_a_redirect_on_the_same_host_is_followed(source: RecordedSource, client: Make) -> None:
    source.play("/old", Reply(status=301, headers={"location": "/new"}))
    source.play("/new", OK)

    assert client().get(f"{source.url}/old").url == f"{source.url}/new"


def test_a_redirect_to_another_host_is_refused_before_the_key_travels(source: RecordedSource, client: Make) -> None:
    with RecordedSource() as other:
        source.play("/a", Reply(status=302, headers={"location": f"{other.url}/steal"}))

        with pytest.raises(UnsafeAnswer, match="redirected to"):
            client(secrets={"x-key": Secret(KEY)}).get(f"{source.url}/a")

        assert other.seen == []


def test_a_redirect_loop_ends(source: RecordedSource, client: Make) -> None:
    source.play("/a", Reply(status=302, headers={"location": "/a"}))

    with pytest.raises(UnsafeAnswer, match="more than 3 times"):
        client().get(f"{source.url}/a")

    assert len(source.seen) == 4


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a",
        "ftp://example.com/a",
        "file:///etc/passwd",
        "https://me:word@example.com/a",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/a",
    ],
)
def test_addresses_that_are_not_https_are_refused(client: Make, url: str) -> None:
    with pytest.raises(UnsafeAnswer):
        client().get(url)


@pytest.mark.parametrize("url", ["https://10.0.0.1/a", "https://169.254.169.254/latest", "https://[fd00::1]/a"])
def test_private_addresses_are_refused_even_by_https(client: Make, url: str) -> None:
    with pytest.raises(UnsafeAnswer, match="private address"):
        client().get(url)


def test_an_unchanged_document_costs_no_body(source: RecordedSource, client: Make) -> None:
    source.play("/a", Reply(status=304))

    answer = client().get(f"{source.url}/a", etag='"1"')

    assert (answer.unchanged, answer.content) == (True, b"")
    assert source.seen[0].headers["if-none-match"] == '"1"'


def test_a_key_is_sent_and_shows_nowhere(
    source: RecordedSource, client: Make, caplog: pytest.LogCaptureFixture
) -> None:
    source.play("/a", Reply(status=503))
    polite = client(secrets={"x-cg-demo-api-key": Secret(KEY)})

    with (
        structlog.testing.capture_logs() as logs,
        caplog.at_level(logging.DEBUG),
        pytest.raises(SourceError) as caught,
    ):
        polite.get(f"{source.url}/a")

    assert source.seen[0].headers["x-cg-demo-api-key"] == KEY
    shown = [repr(vars(polite)), str(caught.value), repr(caught.value.facts), repr(logs), caplog.text]
    assert [text for text in shown if KEY in text] == []
    assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message


def test_an_answer_that_repeats_the_key_is_not_kept(source: RecordedSource, client: Make) -> None:
    source.play("/a", reply({"your_key": KEY}))

    with pytest.raises(UnsafeAnswer, match="repeated the key"):
        client(secrets={"x-key": Secret(KEY)}).get(f"{source.url}/a")


def test_every_failure_is_a_source_error() -> None:
    assert all(issubclass(kind, SourceError) for kind in (Postponed, UnsafeAnswer))
