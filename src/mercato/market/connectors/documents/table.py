"""Documents from a CSV of engagement counts whose columns are named in the options (`documents.table/1`).

Options: `id`, `author`, `created_at` (needed), `text`, `likes`, `reposts`, `replies`, `official`, `paid` name columns;
`label.AI`, `label.DeFi` ... name columns of yes/no flags that a source made itself, used where there is no text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from mercato.core.errors import InvalidInput
from mercato.market.connectors.documents.posts import Page, Post, number, when, words
from mercato.market.connectors.narratives import labels_of_flags
from mercato.market.layers.parsers import register
from mercato.market.model import Parsed, RawDocument

PARSER = "documents.table/1"
NEEDED = ("id", "author", "created_at")
COUNTS = ("likes", "reposts", "replies")
LABEL = "label."
YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": None}


@register(PARSER)
def parse(document: RawDocument) -> Parsed:
    """Returns the rows of a CSV document. Raises InvalidInput where a named column is missing from its header."""
    page = Page(document)
    reader = csv.DictReader(io.StringIO(document.content.decode("utf-8-sig", "replace"), newline=""), strict=True)
    columns = {name: column for name, column in document.options.items() if _is_ours(name)}
    _require(columns, reader.fieldnames or ())
    row = 0
    try:
        for row, line in enumerate(reader, start=1):
            try:
                page.add(row, _post(line, columns))
            except ValueError as error:
                page.reject(row, str(error), ",".join(str(cell) for cell in line.values()))
    except csv.Error as error:
        page.reject(row + 1, f"the rest of the file is no CSV: {error}")
    return page.parsed()


def _is_ours(name: str) -> bool:
    return name in {*NEEDED, *COUNTS, "text", "official", "paid"} or name.startswith(LABEL)


def _require(columns: Mapping[str, str], header: object) -> None:
    present = set(header) if isinstance(header, (list, tuple)) else set()
    if missing := [name for name in NEEDED if name not in columns]:
        raise InvalidInput(f"the mapping named no column for {missing!r}", hint="id, author and created_at are needed")
    if absent := sorted(set(columns.values()) - present):
        raise InvalidInput(
            f"columns {absent!r} are not in the file", hint=f"its header is {', '.join(sorted(map(str, present)))}"
        )


def _post(line: Mapping[str, str | None], columns: Mapping[str, str]) -> Post:
    cell = {name: line.get(column) or "" for name, column in columns.items()}
    flags = {name.removeprefix(LABEL): _yes(value, name) for name, value in cell.items() if name.startswith(LABEL)}
    text = cell.get("text", "")
    return Post(
        id=words(cell["id"], "id"),
        author=words(cell["author"], "author"),
        created_at=when(cell["created_at"]),
        text=text,
        likes=number(cell.get("likes"), "likes"),
        reposts=number(cell.get("reposts"), "reposts"),
        replies=number(cell.get("replies"), "replies"),
        official=_yes(cell.get("official", ""), "official"),
        paid=_yes(cell.get("paid", ""), "paid"),
        labels=None if text else labels_of_flags(name for name, value in flags.items() if value),
    )


def _yes(value: str, name: str) -> bool | None:
    if value.strip().lower() not in YES:
        raise ValueError(f"{name} was {value[:40]!r}, expected one of {', '.join(filter(None, YES))}")
    return YES[value.strip().lower()]
