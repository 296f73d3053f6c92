"""The list of repositories, and the verbs that read them into a real market."""

from __future__ import annotations

import json

import pytest

from mercato.cli import main
from tests.market.connectors.histories import commit, empty


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path / "home"))

    def mercato(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["market", *words])
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return mercato


def test_a_repository_is_followed_read_and_read_again(run, tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"one")

    added = run("builders", "add", str(repository), "--project", "p", "--url", "https://github.com/X/R", "--json")
    first = run("builders", "fetch", "--json")
    commit(repository, b"two", at=1_735_700_000)
    second = run("builders", "fetch", "--json")

    assert json.loads(added[1])["repository"] == "https://github.com/x/r"
    assert [json.loads(said)[0]["commits"] for _, said, _ in (first, second)] == [1, 1]
    segments = [item for item in json.loads(run("segments", "--json")[1]) if item["parser"] == "git.log/1"]
    assert len(segments) == 2


def test_one_repository_that_fails_does_not_stop_the_others(run, tmp_path):
    good, bad = empty(tmp_path / "good"), empty(tmp_path / "bad")
    commit(good, b"one")
    run("builders", "add", str(good), "--project", "g")
    run("builders", "add", str(bad), "--project", "b")
    bad.rename(tmp_path / "gone")

    code, out, err = run("builders", "fetch")

    assert code == 1
    assert "1 new commits" in out
    assert "no folder" in err


def test_a_repository_that_is_not_followed_is_refused_with_a_hint(run):
    code, _, err = run("builders", "fetch", "https://github.com/x/y")

    assert code != 0
    assert "--project NAME" in err


def test_a_repository_can_be_taken_off_the_list(run, tmp_path):
    repository = empty(tmp_path / "r")
    run("builders", "add", str(repository), "--project", "p")

    assert run("builders", "remove", str(repository))[0] == 0
    assert json.loads(run("builders", "list", "--json")[1]) == []
    assert run("builders", "remove", str(repository))[0] != 0


def test_documents_are_imported_by_the_command_line(run, tmp_path):
    post = {"id": "1", "author": "a", "created_at": "2025-02-14T10:00:00Z", "text": "lending pool yield and collateral"}
    (tmp_path / "posts.jsonl").write_text(json.dumps(post) + "\n{\n")

    receipts = [json.loads(run("documents", "import", str(tmp_path / "posts.jsonl"), "--source", "s", "--json")[1])
                for _ in range(2)]  # fmt: skip

    assert [receipt[0]["new"] for receipt in receipts] == [True, False]
    assert receipts[0][0]["rejected"] == 1


def test_the_classifier_can_be_measured_and_asked(run):
    evaluated = json.loads(run("narratives", "evaluate", "--json")[1])
    asked = json.loads(run("narratives", "label", "thanks @aixbt_agent", "--json")[1])

    assert "made up" in evaluated["sample"]
    assert evaluated["scores"][-1]["narrative"] == "all"
    assert (asked["labels"], asked["entities"]) == ({"AI": "1.000000"}, ["aixbt"])


def test_x_is_off_until_a_key_is_set(run):
    code, _, err = run("documents", "x", "ai agents")

    assert code != 0
    assert "x_key" in err
