"""Alerts by webhook: a signed POST to one address, never into a private network unless a setting allows it.

The receiver checks `Mercato-Signature: t=<unix seconds>,v1=<hex>` where the hex is HMAC-SHA256 over
`<unix seconds>.<body>` with the shared secret, and may drop a `Mercato-Delivery` that it has seen.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

import httpx

from mercato.core.errors import ConfigError, MercatoError, Refused, Terminal, Transient
from mercato.core.settings import Secret
from mercato.market.alerts.model import Alert


class WebhookFailed(MercatoError, Transient):
    """The receiver did not take the alert; it may later."""

    code = "webhook-failed"
    status = 502


class WebhookRefused(MercatoError, Terminal, Refused):
    """The receiver, or our own rule, refuses it; trying again cannot help."""

    code = "webhook-refused"
    status = 502


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address and how to speak to it. Opening one that cannot be right raises ConfigError."""

    url: str
    secret: Secret
    private: bool = False
    seconds: float = 10.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or parts.username or parts.password:
            raise ConfigError(f"alerts.webhook was {_shown(parts)!r}", hint="write https://host/path, without a login")
        if parts.scheme == "http" and not self.private:
            raise ConfigError(f"alerts.webhook was {_shown(parts)!r}", hint="use https outside a private network")
        if not self.secret:
            raise ConfigError("alerts.webhook_secret was empty", hint="the receiver needs it to trust an alert")

    def send(self, item: Alert, now: datetime) -> None:
        """Posts one alert; WebhookFailed where another try may help, WebhookRefused where not."""
        parts = urlsplit(self.url)
        address = self._address(parts)
        body = payload(item)
        stamp = int(now.timestamp())
        headers = {
            "host": parts.netloc,
            "content-type": "application/json",
            "mercato-delivery": item.key,
            "mercato-signature": f"t={stamp},v1={signature(self.secret, stamp, body)}",
        }
        try:
            # The connection goes to the address that was checked: a name that changes its mind cannot lead elsewhere.
            with (
                httpx.Client(timeout=self.seconds, follow_redirects=False, trust_env=False) as client,
                client.stream("POST", _pinned(parts, address), content=body, headers=headers,
                              extensions={"sni_hostname": parts.hostname}) as answer,
            ):  # fmt: skip
                _judge(answer)
        except httpx.HTTPError as error:
            raise WebhookFailed(
                f"webhook did not answer: {type(error).__name__}", hint="is the receiver up?"
            ) from error

    def _address(self, parts: SplitResult) -> str:
        """Returns the address to connect to; WebhookRefused where the name leads into a private network."""
        addresses = _addresses(parts)
        inside = [item for item in addresses if not ipaddress.ip_address(item.partition("%")[0]).is_global]
        if inside and not self.private:
            raise WebhookRefused(
                f"webhook host was {parts.hostname!r}, which leads to {inside[0]!r}",
                hint="set alerts.webhook_private where the receiver is meant to be inside",
            )
        return addresses[0]


def payload(item: Alert) -> bytes:
    """Returns the body of a delivery: the alert as JSON, always the same bytes for the same alert."""
    body = {
        "schema": "mercato.alert/1",
        "key": item.key,
        "rule": item.rule,
        "entity": item.entity,
        "episode": item.episode,
        "effect": item.effect.value,
        "day": item.day.isoformat(),
        "title": item.title,
        "value": item.value,
        "figure": item.figure_id,
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode()


def signature(secret: Secret, stamp: int, body: bytes) -> str:
    """Returns the HMAC-SHA256 of the time and the body, in hex."""
    return hmac.new(secret.reveal().encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _addresses(parts: SplitResult) -> list[str]:
    """Returns the addresses of a host; one that is written as an address is not looked up."""
    host = parts.hostname or ""
    with suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise WebhookFailed(f"webhook host was {host!r}, which has no address", hint=str(error)) from error
    return [str(item[4][0]) for item in found]


def _pinned(parts: SplitResult, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=host + port).geturl()


def _shown(parts: SplitResult) -> str:
    """Returns an address without login or query, either of which may hold a secret."""
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def _judge(answer: httpx.Response) -> None:
    code = answer.status_code
    if 200 <= code < 300:
        return
    if code in {408, 425, 429} or code >= 500:
        after = answer.headers.get("retry-after", "")
        wait = int(after) if after.isdigit() else None
        raise WebhookFailed(f"webhook answered {code}", hint="it is tried again", retry_after=wait)
    raise WebhookRefused(f"webhook answered {code}", hint="check the address and the secret at the receiver")
