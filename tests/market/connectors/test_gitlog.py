"""The parser of kept `git log` bytes, on bytes no git would write."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.market.connectors.gitlog import PARSER, WIDTH, count, log_format, parse, pieces
from mercato.market.connectors.vendored import is_vendored, only_vendored
from mercato.market.model import RawDocument

_text = st.text(st.characters(blacklist_characters="\0\n", codec="utf-8"), max_size=12)


def record(sha: str, subject: str = "s", paths: str = "\n\na.py\n") -> bytes:
    fields = ["mark", sha, "", "Ada", "a@x", "1735689600", "Ada", "a@x", "1735689600", subject, ""]
    return b"".join(b"\0" + field.encode() for field in fields) + b"\0" + paths.encode()


def document(content: bytes) -> RawDocument:
    options = {"project": "p", "repository": "https://example.org/r", "asset_id": "", "on_default": "1"}
    at = datetime(2025, 2, 14, tzinfo=UTC)
    return RawDocument(content=content, source="git:r", parser=PARSER, observed_at=at, request="x", options=options)


@given(subjects=st.lists(_text, max_size=12), limit=st.integers(1, 400))
def test_a_log_cut_into_pieces_loses_nothing(subjects, limit):
    content = b"".join(record(f"{number:040x}", subject) for number, subject in enumerate(subjects))

    parts = list(pieces(io.BytesIO(content), limit))

    assert b"".join(parts) == content
    assert sum(parse(document(part)).tables["commits"].num_rows for part in parts) == len(subjects)
    assert sum(count(part) for part in parts) == len(subjects)


@given(cut=st.integers(1, 80))
def test_a_truncated_log_keeps_the_whole_records_and_rejects_the_rest(cut):
    content = record("a" * 40) + record("b" * 40)

    parsed = parse(document(content[: len(record("a" * 40)) + cut]))

    assert parsed.tables["commits"].column("sha").to_pylist()[:1] == ["a" * 40]
    assert len(parsed.rejected) + parsed.tables["commits"].num_rows == 2


@given(content=st.binary(max_size=300))
def test_any_bytes_are_rows_or_rejects_never_a_crash(content):
    parsed = parse(document(content))

    assert parsed.tables["repositories"].num_rows == 1
    assert all(reject.reason for reject in parsed.rejected)


def test_garbage_before_the_first_record_is_rejected_alone():
    parsed = parse(document(b"warning: oops\n" + record("a" * 40)))

    assert [reject.row for reject in parsed.rejected] == [1]
    assert parsed.tables["commits"].num_rows == 1


def test_a_forged_id_is_rejected_with_its_number():
    parsed = parse(document(record("a" * 40) + record("not-a-commit")))

    assert [(reject.row, "commit id" in reject.reason) for reject in parsed.rejected] == [(2, True)]


def test_the_project_and_its_asset_come_from_the_options():
    raw = replace(document(record("a" * 40)), options={**document(b"").options, "asset_id": "virtual"})

    place = parse(raw).tables["repositories"].to_pylist()[0]

    assert (place["project"], place["asset_id"], place["raw_sha"]) == ("p", "virtual", raw.sha)


def test_a_mark_cannot_change_the_format():
    assert log_format("a%Hb\0c").startswith("--format=%x00a%%Hbc%x00%H")
    assert log_format("m").count("%x00") == WIDTH


@pytest.mark.parametrize(
    ("path", "vendored"),
    [
        ("vendor/a.c", True),
        ("web/node_modules/x/index.js", True),
        ("Cargo.lock", True),
        ("proto/a_pb2.py", True),
        ('"third_party/n\\303\\251.c"', True),
        ("src/vendor.py", False),
        ("src/distance.py", False),
        ("locks/main.rs", False),
    ],
)
def test_vendored_paths_are_told_by_folder_name_or_ending(path, vendored):
    assert is_vendored(path) is vendored


def test_one_own_path_makes_a_commit_own_work():
    assert only_vendored(["vendor/a", "yarn.lock"])
    assert not only_vendored(["vendor/a", "src/b"])
    assert not only_vendored([])
