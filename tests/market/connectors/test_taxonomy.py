"""The taxonomy: each command, the order of migrations, and real data replayed where it is at hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.connectors import repositories
from mercato.market.connectors.taxonomy import ATTRIBUTION, Taxonomy, document, parse, tokens
from mercato.market.universe import shipped
from tests.market.connectors.conftest import research_data

NOW = datetime(2025, 2, 14, tzinfo=UTC)
A, B, C = (f"https://github.com/x/{name}" for name in "abc")


def made(*lines: str) -> Taxonomy:
    taxonomy = Taxonomy()
    for line in lines:
        taxonomy.do(line)
    return taxonomy


def test_ecosystems_hold_their_repositories_and_those_of_their_parts():
    taxonomy = made(
        "ecoadd Top", "ecoadd 'Part One'", "ecocon Top 'Part One'", f"repadd Top {A} #tag", f"repadd 'Part One' {B}"
    )

    assert taxonomy.repositories("Top") == [A, B]
    assert taxonomy.repositories("Top", deep=False) == [A]


def test_connections_may_run_in_a_circle():
    taxonomy = made("ecoadd P", "ecoadd Q", "ecocon P Q", "ecocon Q P", f"repadd Q {A}")

    assert taxonomy.repositories("P") == [A]


def test_names_and_addresses_move_with_everything_they_have():
    taxonomy = made("ecoadd P", "ecoadd Q", "ecocon P Q", f"repadd Q {A}", "ecomov Q R", f"repmov {A} {B}")
    taxonomy.do("ecodis P R")
    taxonomy.do("ecocon P R")

    assert taxonomy.repositories("P") == [B]
    with pytest.raises(ValueError, match="'Q' is unknown"):
        taxonomy.repositories("Q")


def test_an_address_that_moves_onto_another_becomes_one_with_it():
    taxonomy = made("ecoadd P", "ecoadd Q", f"repadd P {A}", f"repadd Q {B}", f"repmov {A} {B}", f"reprem Q {B}")

    assert (taxonomy.repositories("P"), taxonomy.repositories("Q")) == ([B], [])


def test_an_ecosystem_that_is_removed_leaves_its_parents():
    taxonomy = made("ecoadd P", "ecoadd Q", "ecocon P Q", f"repadd Q {A}", "ecorem Q", "ecoadd Q")

    assert (taxonomy.repositories("P"), taxonomy.repositories("Q")) == ([], [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ecoadd", "had 0 words"),
        ("ecoadd a b", "had 2 words"),
        ("ecocon P Nowhere", "'Nowhere' is unknown"),
        ("ecomov P P", "there already"),
        (f"repmov {A} {B}", "is unknown"),
        (f"reprem P {A}", "is unknown"),
        ("nothng x", "the command was 'nothng'"),
        ("ecoadd 'open", "quote was not closed"),
    ],
)
def test_a_line_that_cannot_be_done_says_why(line, reason):
    with pytest.raises(ValueError, match=reason):
        made("ecoadd P", line)


@pytest.mark.parametrize("line", ["", "  ", "# a comment", "-- a comment", "\r"])
def test_comments_and_blank_lines_do_nothing(line):
    assert made(line).ecosystems == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" a b\r", ["a", "b"]),
        (""" "Mckee's Rocks" https://x.y""", ["Mckee's Rocks", "https://x.y"]),
        (r" a\ b 'c\'d'", ["a b", "c'd"]),
        (""" "" x""", ["", "x"]),
    ],
)
def test_words_are_split_as_a_shell_would(text, words):
    assert tokens(text) == words


_SIGNS = st.characters(codec="utf-8", exclude_characters="\n\r")


@given(words=st.lists(st.text(_SIGNS, min_size=1), max_size=5))
def test_quoted_words_come_back(words):
    quoted = ['"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words]

    assert tokens(" " + " ".join(quoted)) == words


def test_migrations_run_in_the_order_of_their_dates_up_to_a_day(tmp_path):
    (tmp_path / "2025-01-02T000000_second").write_text(f"repmov {A} {B}\nrepmov {C} {A}\n")
    (tmp_path / "2024-01-01T000000_first").write_text(f"ecoadd elizaOS\nrepadd elizaOS {A}\n")
    (tmp_path / "2025-13-02T000000_no_date").write_text("ecorem elizaOS\n")
    (tmp_path / "2025-01-03T000000_link").symlink_to(tmp_path / "2024-01-01T000000_first")
    projects = {"elizaOS": {"project": "elizaos", "asset_id": "elizaos"}, "Nowhere": {"project": "n"}}

    late, early = (parse(document(tmp_path, projects, NOW, until)) for until in ("", "2025-01-01"))

    assert [row["repository"] for row in late.tables["repositories"].to_pylist()] == [B]
    assert [row["repository"] for row in early.tables["repositories"].to_pylist()] == [A]
    assert [reject.reason for reject in late.rejected] == [
        f"2025-01-02T000000_second line 2: repository {C!r} is unknown",
        "ecosystem 'Nowhere' is not in these migrations",
    ]


def test_the_attribution_goes_with_the_data(tmp_path):
    (tmp_path / "2024-01-01T000000_first").write_text("ecoadd P\n")

    assert document(tmp_path, {}, NOW).licence == ATTRIBUTION
    assert "CC BY 4.0" in ATTRIBUTION


def test_a_folder_without_migrations_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no migration"):
        document(tmp_path, {}, NOW)


def test_the_overlay_that_ships_names_known_assets_and_gives_reasons():
    entries = repositories.overlay(repositories.package_overlay())

    parsed = repositories.parse_overlay(repositories.overlay_document(NOW))
    assert {entry.asset_id for entry in entries} - {""} <= set(shipped().assets)
    assert all(len(item.reason) > 10 for entry in entries for item in (*entry.add, *entry.remove))
    assert parsed.rejected == ()
    assert parsed.tables["repositories"].num_rows == sum(len(entry.add) for entry in entries)


def test_an_overlay_can_leave_a_repository_out(tmp_path):
    (tmp_path / "2024-01-01T000000_first").write_text(f"ecoadd P\nrepadd P {A}\nrepadd P {B}\nrepadd P ssh://x\n")
    content = f"""[[project]]
    name = "p"
    ecosystems = ["P"]
    remove = [{{ repository = "{A}", reason = "a copy of another one" }}]
    """
    projects = repositories.taxonomy_projects(repositories.overlay(content.encode()))

    parsed = parse(document(tmp_path, projects, NOW))

    assert [row["repository"] for row in parsed.tables["repositories"].to_pylist()] == [B]
    assert "ssh://x" in parsed.rejected[0].text


def test_a_broken_overlay_is_rejected_as_a_whole():
    parsed = repositories.parse_overlay(repositories.overlay_document(NOW, b"[[project]]\nname ="))

    assert [reject.row for reject in parsed.rejected] == [0]


def test_real_ecosystems_replayed_from_migrations_keep_every_repository(tmp_path):
    path = research_data() / "electric_capital_ai_subset.json"
    chosen = json.loads(path.read_text())["sel"]
    lines = [f"ecoadd {json.dumps(name)}" for name in chosen]
    lines += [f"repadd {json.dumps(name)} {url}" for name, item in chosen.items() for url in item["repos"]]
    (tmp_path / "2025-01-01T000000_subset").write_text("\n".join(lines))
    projects = {name: {"project": name} for name in chosen}

    parsed = parse(document(tmp_path, projects, NOW))

    found = {(row["project"], row["repository"]) for row in parsed.tables["repositories"].to_pylist()}
    assert found == {(name, url.lower()) for name, item in chosen.items() for url in item["repos"]}
    assert parsed.rejected == ()
