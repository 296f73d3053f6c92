"""Whose pages may change something here or listen live: our own, and the origins that the settings name."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers


def welcome(headers: Headers, origins: Collection[str]) -> bool:
    """Says whether a request may act. One without an Origin is no browser's, and carries nobody's cookie by itself."""
    origin = headers.get("origin")
    if origin is None or origin in origins:
        return True
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
