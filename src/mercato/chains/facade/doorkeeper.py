"""Who may speak to the façade.

A page on the web can make its reader's browser call any address of this machine, also under a name of its own that
leads here (DNS rebinding). So the name that was called must be one of ours, and a page's origin one that was allowed.
Programs send no origin. Extensions are not pages: the browser asks its owner before one may call, and wallets are such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?")
EXTENSIONS = frozenset({"chrome-extension", "moz-extension", "safari-web-extension"})


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """`hosts` are names that we answer to besides loopback's, `origins` pages that may call, as http://host:port."""

    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    def objection(self, headers: Mapping[str, str]) -> str:
        """Returns why a request is refused, "" where it is not."""
        host = headers.get("host", "")
        if hostname(host) not in LOOPBACK | self.hosts:
            return f"host was {host[:80]!r}, which is not a name of this façade"
        origin = headers.get("origin")
        if origin is not None and not self.welcome(origin):
            return f"origin was {origin[:80]!r}, which may not call"
        return ""

    def welcome(self, origin: str) -> bool:
        """Returns whether pages of an origin may call."""
        return origin in self.origins or origin.partition("://")[0] in EXTENSIONS


def hostname(host: str) -> str:
    """Returns a Host header's name without its port, in lower case; "" where it is none."""
    found = _HOST.fullmatch(host.lower())
    return (found[1] or found[2]) if found else ""
