"""Raw documents for tests of document parsers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from mercato.market.layers.parsers import parser
from mercato.market.model import Parsed, RawDocument

NOW = datetime(2025, 2, 14, 12, tzinfo=UTC)


def read(name: str, content: bytes | str, options: Mapping[str, str] | None = None, source: str = "test") -> Parsed:
    """Returns what the named parser makes of these bytes, fetched on 2025-02-14 at noon."""
    data = content.encode() if isinstance(content, str) else content
    raw = RawDocument(
        content=data, source=source, parser=name, observed_at=NOW, request="test", options=dict(options or {})
    )
    return parser(name)(raw)


def rows(parsed: Parsed, table: str) -> list[dict[str, object]]:
    """Returns the rows of one table."""
    found: list[dict[str, object]] = parsed.tables[table].to_pylist()
    return found
