"""The bytes of `git log` that are kept as raw documents, and the parser that reads them (`git.log/1`).

A record is eleven fields, each ended by NUL except the last: mark, sha, parents, author name, author email, author
time, committer name, committer email, commit time, subject, co-authors; then the touched paths, one per line, quoted
by git. A path cannot hold a bare NUL or newline there, so nothing that a commit contains can forge a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from mercato.market.connectors.vendored import only_vendored
from mercato.market.layers.parsers import register
from mercato.market.model import Parsed, RawDocument, Rejected

PARSER = "git.log/1"
FIELDS = ("%H", "%P", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%s",
          "%(trailers:key=Co-authored-by,valueonly,separator=%x1f)")  # fmt: skip
WIDTH = len(FIELDS) + 2  # the mark before, the paths after

#: Switches that pin what is printed, whatever is configured anywhere. Renames would need file contents.
SWITCHES = (
    "--no-color", "--no-decorate", "--no-notes", "--no-mailmap", "--no-abbrev", "--no-ext-diff", "--no-textconv",
    "--no-renames", "--diff-merges=off", "--name-only", "--ignore-submodules=none",
)  # fmt: skip
LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z; later times are kept as NULL


def log_format(mark: str) -> str:
    """Returns the --format of records; `mark` names the repository, so equal histories stay distinct documents."""
    if "%" in mark or "\0" in mark:
        mark = mark.replace("%", "%%").replace("\0", "")
    return "--format=%x00" + mark + "%x00" + "%x00".join(FIELDS) + "%x00"


def pieces(spool: IO[bytes], limit: int) -> Iterator[bytes]:
    """Yields the spooled log in whole records, each piece at least `limit` bytes long but for the last one."""
    rest = b""
    while block := spool.read(limit):
        cut = _last_record(rest + block)
        whole, rest = (rest + block)[:cut], (rest + block)[cut:]
        if whole:
            yield whole
    if rest:
        yield rest


def _last_record(data: bytes) -> int:
    """Returns where the last complete record of `data` ends: at the NUL that begins another one; 0 where none does."""
    begin = 0
    while True:
        at = begin
        for _ in range(WIDTH):
            at = data.find(b"\0", at) + 1
            if not at:
                return begin
        if (after := data.find(b"\0", at)) < 0:
            return begin
        begin = after


def count(content: bytes) -> int:
    """Returns the number of whole records."""
    return content.count(b"\0") // WIDTH


def records(content: bytes) -> Iterator[list[bytes]]:
    """Yields the eleven fields of each record. A remainder that is no whole record comes as a shorter list."""
    if not content:
        return
    fields = content.split(b"\0")
    if fields[0].strip():
        yield fields[:1]
    for start in range(1, len(fields), WIDTH):
        yield fields[start : start + WIDTH]


@register(PARSER)
def parse(document: RawDocument) -> Parsed:
    """Returns COMMITS and REPOSITORIES rows of a `git log` document.

    `options`: project, repository, asset_id (may be empty) and on_default (`1` or `0`). A record that is no commit is
    rejected with its number. Times before 1970 or after the year 9999 are NULL.
    """
    import pyarrow as pa

    from mercato.market import schema

    rejected: list[Rejected] = []
    rows = []
    sha = document.sha
    for number, record in enumerate(records(document.content), start=1):
        reason = _reason(record)
        if reason:
            rejected.append(Rejected(number, reason, b"|".join(record)[:200].decode("utf-8", "replace")))
            continue
        rows.append(_row(document, sha, record))
    place = {
        "project": document.options["project"],
        "repository": document.options["repository"],
        "asset_id": document.options.get("asset_id") or None,
        "source": document.source,
        "raw_sha": sha,
    }
    tables = {
        "commits": pa.Table.from_pylist(rows, schema=schema.COMMITS.to_pyarrow()),
        "repositories": pa.Table.from_pylist([place], schema=schema.REPOSITORIES.to_pyarrow()),
    }
    return Parsed(tables=tables, rejected=tuple(rejected))


def _reason(record: Sequence[bytes]) -> str:
    if len(record) != WIDTH:
        return f"the record had {len(record)} of {WIDTH} fields: the document is cut off or is no git log"
    sha = record[1]
    if len(sha) not in (40, 64) or sha.strip(b"0123456789abcdef"):
        return f"the commit id was {sha[:80]!r}, which is not 40 or 64 hexadecimal digits"
    return ""


def _row(document: RawDocument, raw_sha: str, record: Sequence[bytes]) -> dict[str, object]:
    _, sha, parents, name, email, authored, _, _, committed, subject, coauthors, paths = (
        field.decode("utf-8", "replace") for field in record
    )
    return {
        "project": document.options["project"],
        "repository": document.options["repository"],
        "sha": sha,
        "author_name": name,
        "author_email": email,
        "authored_at": _time(authored),
        "committed_at": _time(committed),
        "parents": len(parents.split()),
        "on_default": document.options.get("on_default") == "1",
        "subject": subject,
        "patch_id": "",
        "coauthors": ";".join(part.strip() for part in coauthors.split("\x1f") if part.strip()),
        "vendored_only": only_vendored(paths.strip("\n").split("\n")) if paths.strip("\n") else False,
        "raw_sha": raw_sha,
    }


def _time(seconds: str) -> int | None:
    """Returns microseconds since 1970, None where git has no usable time."""
    if not seconds.isascii() or not seconds.isdigit() or int(seconds) > LATEST:
        return None
    return int(seconds) * 1_000_000
