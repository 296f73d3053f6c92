import hashlib
import hmac
import threading
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mercato.core.errors import ConfigError
from mercato.core.settings import Secret
from mercato.market.alerts.model import Alert, Effect
from mercato.market.alerts.webhook import Webhook, WebhookFailed, WebhookRefused

NOW = datetime(2025, 2, 15, tzinfo=UTC)
ALERT = Alert("deep", "ai", 1, Effect.FIRE, date(2025, 2, 14), "Deep", "-0.6", "fig_x")
SECRET = Secret("shared")


class Receiver(HTTPServer):
    """Answers with `answers`, in order, and keeps what it got."""

    def __init__(self, *given):
        super().__init__(*given)
        self.got, self.answers = [], []


@pytest.fixture
def receiver():
    """A receiver on loopback that answers with the statuses in `answers`, in order, and keeps what it got."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            server.got.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(server.answers.pop(0))
            self.send_header("retry-after", "7")
            self.send_header("location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *parts):
            pass

    server = Receiver(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def hook(receiver, **more):
    return Webhook(f"http://127.0.0.1:{receiver.server_port}/in", SECRET, private=True, **more)


def test_the_receiver_can_check_the_signature_and_drop_a_repeat(receiver):
    receiver.answers = [200, 204]
    hook(receiver).send(ALERT, NOW)
    hook(receiver).send(ALERT, NOW)
    (headers, body), (again, same) = receiver.got
    stamp, mark = (part.partition("=")[2] for part in headers["mercato-signature"].split(","))

    assert mark == hmac.new(b"shared", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["mercato-delivery"] == again["mercato-delivery"] == "deep:ai:1:fire"
    assert body == same
    assert b"shared" not in body


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_receiver_is_tried_again_when_it_says(receiver, status):
    receiver.answers = [status]

    with pytest.raises(WebhookFailed) as caught:
        hook(receiver).send(ALERT, NOW)

    assert caught.value.facts["retry_after"] == 7


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404])
def test_a_refusal_or_a_redirect_ends_it(receiver, status):
    receiver.answers = [status]

    with pytest.raises(WebhookRefused):
        hook(receiver).send(ALERT, NOW)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.0.0.8", "169.254.169.254", "192.168.1.1", "0.0.0.0", "localhost"]
)
def test_a_private_address_is_refused_unless_it_is_allowed(host):
    with pytest.raises(WebhookRefused, match="leads to"):
        Webhook(f"https://{host}/in", SECRET).send(ALERT, NOW)


def test_nobody_there_is_worth_another_try(receiver):
    with pytest.raises(WebhookFailed, match="did not answer"):
        Webhook("http://127.0.0.1:1/in", SECRET, private=True).send(ALERT, NOW)


@pytest.mark.parametrize("url", ["ftp://host/", "https://me:pw@host/", "http://host.example/", "nonsense", ""])
def test_an_address_that_cannot_be_right_is_refused_without_its_password(url):
    with pytest.raises(ConfigError) as caught:
        Webhook(url, SECRET)

    assert "pw" not in str(caught.value)


def test_a_webhook_without_a_secret_is_refused():
    with pytest.raises(ConfigError, match="webhook_secret was empty"):
        Webhook("https://host.example/", Secret(""))
