"""Tables as CSV, as spreadsheets read them: values exact, lines ended by a newline, no text that runs as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence

_STARTS = ("=", "+", "-", "@", "\t", "\r")  # of what a spreadsheet takes for a formula
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def lines(rows: Iterable[Sequence[object]]) -> str:
    """Returns rows as CSV; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Returns rows below the names of the first one's members; no rows give no text."""
    return lines([list(rows[0]), *([row[name] for name in rows[0]] for row in rows)]) if rows else ""


def _cell(value: object) -> object:
    """Returns a value as it is, but for text that is a formula and no number: a quote before it makes it text."""
    if isinstance(value, str) and value.startswith(_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
