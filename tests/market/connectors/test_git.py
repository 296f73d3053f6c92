"""The git connector against real repositories: what it says is what git says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercato.core.errors import ConfigError, InvalidInput
from mercato.market.connectors.git import Project, Reader, Reading
from mercato.market.connectors.gitcli import Git, GitFailed, GitLimit
from mercato.market.connectors.gitrepo import Source, repository_name, source
from mercato.market.layers.parsers import parser
from tests.market.connectors.histories import commit, empty, git, scrambled
from tests.profiles import examples

NOW = datetime(2025, 2, 14, 12, tzinfo=UTC)
ELIZA = Project("elizaos", "elizaos")


def reader(home: Path, program: Git | None = None) -> Reader:
    return Reader(home, lambda: NOW, program)


def read(home: Path, repository: Path, program: Git | None = None) -> Reading:
    return fetch(home, source(str(repository)), program)


def fetch(home: Path, what: Source, program: Git | None = None) -> Reading:
    with reader(home, program).read(what, ELIZA) as reading:
        return reading


def rows(reading: Reading) -> list[dict[str, object]]:
    parsed = [parser(document.parser)(document) for document in reading.documents]
    assert not [reject for part in parsed for reject in part.rejected]
    tables = [part.tables["commits"] for part in parsed]
    return pa.concat_tables(tables).to_pylist() if tables else []


def count(folder: Path, *arguments: str) -> int:
    return int(git(folder, "rev-list", "--count", *arguments))


@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), commits=st.integers(1, 25))
def test_counts_agree_with_rev_list_on_any_history(tmp_path_factory, seed, commits):
    folder = tmp_path_factory.mktemp("history")
    repository = scrambled(folder / "repository", seed, commits)

    got = rows(read(folder / "home", repository))

    default = [row for row in got if row["on_default"]]
    bots = [row for row in got if "[bot]" in str(row["author_name"])]
    assert len(got) == len({row["sha"] for row in got}) == count(repository, "--all")
    assert len(default) == count(repository, "HEAD")
    assert sum(int(str(row["parents"])) > 1 for row in got) == count(repository, "--all", "--merges")
    assert sum(int(str(row["parents"])) < 2 for row in default) == count(repository, "HEAD", "--no-merges")
    assert len(bots) == count(repository, "--all", "--author=\\[bot\\]")
    authored = {str(row["sha"]): row["authored_at"] for row in got}
    told = dict(line.split() for line in git(repository, "log", "--all", "--format=%H %at").splitlines())
    assert authored == {sha: datetime.fromtimestamp(int(at), UTC) for sha, at in told.items()}


def test_only_new_commits_are_read_the_second_time(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"one")
    read(tmp_path / "home", repository)
    second = commit(repository, b"two", at=1_735_700_000)

    again = read(tmp_path / "home", repository)
    nothing = read(tmp_path / "home", repository)

    assert [row["sha"] for row in rows(again)] == [second]
    assert nothing.documents == ()


def test_a_side_branch_counts_as_default_once_it_is_merged(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"base")
    git(repository, "branch", "side")
    side = commit(repository, b"side work", branch="side")
    first = rows(read(tmp_path / "home", repository))
    merge = commit(repository, b"merge", merge="refs/heads/side", at=1_735_700_000)

    second = rows(read(tmp_path / "home", repository))

    assert {row["subject"]: row["on_default"] for row in first} == {"base": True, "side work": False}
    assert {row["sha"]: row["on_default"] for row in second} == {side: True, merge: True}


def test_a_rewritten_history_is_noticed_and_what_it_dropped_leaves_the_default_branch(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"base")
    dropped = commit(repository, b"regret", at=1_735_700_000)
    read(tmp_path / "home", repository)
    git(repository, "update-ref", "refs/heads/main", "refs/heads/main~1")
    instead = commit(repository, b"better", at=1_735_700_001)

    reading = read(tmp_path / "home", repository)

    assert reading.rewritten == ("HEAD", "refs/heads/main")
    assert {row["sha"]: row["on_default"] for row in rows(reading)} == {instead: True, dropped: False}


def test_an_incomplete_clone_stops_with_128_and_keeps_nothing(tmp_path):
    repository = empty(tmp_path / "r")
    first = commit(repository, b"one", files={b"a": b"1"})
    commit(repository, b"two", at=1_735_700_000, files={b"a": b"2"})
    _loosen(repository)
    lost = repository / ".git" / "objects" / first[:2] / first[2:]
    kept = lost.read_bytes()
    lost.unlink()

    with pytest.raises(GitFailed, match="incomplete") as caught:
        read(tmp_path / "home", repository)

    assert caught.value.facts["status"] == 128
    assert not list((tmp_path / "home").glob("*.json"))
    lost.write_bytes(kept)
    assert len(rows(read(tmp_path / "home", repository))) == 2


def _loosen(repository: Path) -> None:
    """Turns the packs of a repository into loose objects, so that a test can lose one."""
    packs = [(path, path.read_bytes()) for path in (repository / ".git" / "objects" / "pack").iterdir()]
    for path, _ in packs:
        path.unlink()
    for path, data in packs:
        git(repository, "unpack-objects", "-q", stdin=data, check=path.suffix == ".pack")


def test_an_empty_repository_gives_no_document(tmp_path):
    assert read(tmp_path / "home", empty(tmp_path / "r")).documents == ()


def test_a_detached_head_is_the_default_history(tmp_path):
    repository = empty(tmp_path / "r")
    first = commit(repository, b"one")
    commit(repository, b"two", at=1_735_700_000)
    git(repository, "update-ref", "--no-deref", "HEAD", first)

    got = rows(read(tmp_path / "home", repository))

    assert {row["subject"]: row["on_default"] for row in got} == {"one": True, "two": False}


def test_refs_to_blobs_and_trees_are_named_not_counted(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"one", files={b"a": b"1"})
    blob = git(repository, "rev-parse", "main:a").strip()
    tree = git(repository, "rev-parse", "main^{tree}").strip()
    git(repository, "update-ref", "refs/tags/blob", blob)
    git(repository, "update-ref", "refs/notes/tree", tree)
    git(repository, "-c", "user.name=a", "-c", "user.email=a@x", "tag", "-a", "-m", "t", "of-a-tree", tree)

    reading = read(tmp_path / "home", repository)

    assert len(rows(reading)) == 1
    assert f"no-commit:{blob}" in reading.flags


def test_odd_bytes_in_names_messages_and_paths_cannot_forge_a_record(tmp_path):
    repository = empty(tmp_path / "r")
    fake = b"a" * 40
    trailers = b"\n\nCo-authored-by: A <a@x>\nco-AUTHORED-by: B <b@x>"
    commit(repository, b"s\x1fu\x02b\r " + fake + trailers, files={b'"new\\nline/' + fake + b'\\001"': b""})
    commit(repository, b"\xe9t\xe9", author=(b"Ren\xe9e", b"c@x"), at=1_735_700_000, encoding="ISO-8859-1")
    commit(repository, b"raw \xff bytes", author=(b"\xff\xfe", b"u@x"), at=1_735_700_001)

    got = rows(read(tmp_path / "home", repository))

    assert [row["subject"] for row in got] == ["raw � bytes", "été", "s\x1fu\x02b\r " + "a" * 40]
    assert [row["author_name"] for row in got] == ["��", "Renée", "Ada Lovelace"]
    assert got[2]["coauthors"] == "A <a@x>;B <b@x>"


def test_a_future_time_is_kept_and_an_impossible_one_is_null(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"from the year 2099", at=4_070_908_800)
    commit(repository, b"beyond dates", at=10**17)

    got = {row["subject"]: row["authored_at"] for row in rows(read(tmp_path / "home", repository))}

    assert got == {"from the year 2099": datetime(2099, 1, 1, tzinfo=UTC), "beyond dates": None}


def test_mailmap_grafts_and_replacements_of_the_repository_change_nothing(tmp_path):
    repository = empty(tmp_path / "r")
    first = commit(repository, b"one", files={b".mailmap": b"Someone Else <else@x> <ada@example.org>\n"})
    second = commit(repository, b"two", at=1_735_700_000)
    git(repository, "-c", "user.name=a", "-c", "user.email=a@x", "replace", "--graft", second)
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "grafts").write_text(f"{second}\n")
    git(repository, "config", "log.mailmap", "true")

    got = rows(read(tmp_path / "home", repository))

    assert {row["sha"]: row["parents"] for row in got if row["on_default"]} == {second: 1, first: 0}
    assert {row["author_email"] for row in got if row["on_default"]} == {"ada@example.org"}


def test_a_submodule_is_one_touched_path(tmp_path):
    repository = empty(tmp_path / "r")
    sha = commit(repository, b"one")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{sha},third_party/lib")
    tree = git(repository, "write-tree").strip()
    identity = ("-c", "user.name=a", "-c", "user.email=a@x")
    added = git(repository, *identity, "commit-tree", tree, "-p", sha, "-m", "add submodule").strip()
    git(repository, "update-ref", "refs/heads/main", added)

    got = rows(read(tmp_path / "home", repository))

    assert [(row["subject"], row["vendored_only"]) for row in got] == [("add submodule", True), ("one", False)]


def test_the_repositorys_own_configuration_runs_no_program(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"one", files={b"a": b"1"})
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\n")
    trap.chmod(0o755)
    plain = git(repository, "cat-file", "commit", "main")
    signature = "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n -----END PGP SIGNATURE-----\n\n"
    body = plain.replace("\n\n", signature, 1).encode()
    signed = git(repository, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=body).strip()
    git(repository, "update-ref", "refs/heads/main", signed)
    for name in ("gpg.program", "core.fsmonitor", "core.pager", "diff.external", "core.sshCommand", "core.askPass",
                 "uploadpack.packObjectsHook", "core.alternateRefsCommand", "pager.log"):  # fmt: skip
        git(repository, "config", name, str(trap))
    git(repository, "config", "log.showSignature", "true")
    git(repository, "log", "-1", check=False)
    assert sprung.exists(), "the trap must work where git is run plainly"
    sprung.unlink()

    assert len(rows(read(tmp_path / "home", repository))) == 1
    assert not sprung.exists()


def test_a_cut_off_clone_is_refused(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"one")
    commit(repository, b"two", at=1_735_700_000)
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "shallow")

    with pytest.raises(InvalidInput, match="unshallow"):
        read(tmp_path / "home", tmp_path / "shallow")


def test_a_remote_repository_is_cloned_bare_and_fetched_again(tmp_path):
    repository = empty(tmp_path / "r")
    git(repository, "config", "uploadpack.allowFilter", "true")
    commit(repository, b"one", files={b"big": b"x" * 1000})
    blob = git(repository, "rev-parse", "main:big").strip()
    git(repository, "branch", "release")
    remote = Source("https://example.org/a/b", repository.as_uri(), local=False)
    first = fetch(tmp_path / "home", remote)
    commit(repository, b"two", at=1_735_700_000, files={b"vendor/y": b"y"})
    git(repository, "branch", "-D", "release")

    second = fetch(tmp_path / "home", remote)

    clone = next((tmp_path / "home").glob("*.git"))
    held = git(clone, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    assert [row["subject"] for row in rows(first)] == ["one"]
    assert [(row["subject"], row["vendored_only"]) for row in rows(second)] == [("two", True)]
    assert blob not in held
    assert git(clone, "rev-parse", "--is-bare-repository").strip() == "true"


def test_a_reading_that_is_not_taken_is_read_again_with_equal_bytes(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"one")
    taken: list[str] = []

    with pytest.raises(ConnectionError):
        _lose(tmp_path, repository, taken)

    assert [document.sha for document in read(tmp_path / "home", repository).documents] == taken


def _lose(folder: Path, repository: Path, taken: list[str]) -> None:
    with reader(folder / "home").read(source(str(repository)), ELIZA) as reading:
        taken.extend(document.sha for document in reading.documents)
        raise ConnectionError("the store went away")


def test_a_damaged_position_means_everything_is_read_again(tmp_path):
    repository = empty(tmp_path / "r")
    commit(repository, b"one")
    read(tmp_path / "home", repository)
    position = next((tmp_path / "home").glob("*.json"))
    position.write_text('{"refs": ')

    assert len(rows(read(tmp_path / "home", repository))) == 1
    assert json.loads(position.read_text())["branch"] == "refs/heads/main"


def test_equal_histories_of_two_repositories_are_two_documents(tmp_path):
    commit(empty(tmp_path / "a"), b"one")
    commit(empty(tmp_path / "b"), b"one")

    first, second = (read(tmp_path / "home", tmp_path / name).documents[0] for name in "ab")

    assert first.sha != second.sha
    assert first.source != second.source


def test_progress_is_told(tmp_path):
    commit(empty(tmp_path / "r"), b"one")
    heard: list[tuple[str, int]] = []

    def hear(what: str, size: int) -> None:
        heard.append((what, size))

    with reader(tmp_path / "home").read(source(str(tmp_path / "r")), ELIZA, hear) as reading:
        size = sum(len(document.content) for document in reading.documents)

    assert heard[-1][1] == size


def test_a_slow_or_endless_git_is_stopped(tmp_path):
    slow, endless = tmp_path / "slow", tmp_path / "endless"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    endless.write_text("#!/bin/sh\nexec yes\n")
    slow.chmod(0o755)
    endless.chmod(0o755)

    with pytest.raises(GitLimit, match=r"ran past 0\.2 s"):
        Git(seconds=0.2, program=str(slow)).text("log")
    with pytest.raises(GitLimit, match="more than 1000 bytes"):
        Git(max_bytes=1000, program=str(endless)).text("log")


def test_a_missing_git_is_named(tmp_path):
    with pytest.raises(ConfigError, match="install git"):
        Git(program=str(tmp_path / "git")).text("version")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://GitHub.com/ElizaOS/Eliza.git", "https://github.com/elizaos/eliza"),
        ("https://github.com/elizaos/eliza/", "https://github.com/elizaos/eliza"),
        ("https://git.example.org:8443/A//B.git/", "https://git.example.org:8443/A/B"),
    ],
)
def test_one_repository_has_one_name(address, name):
    assert repository_name(address) == name


@pytest.mark.parametrize(
    "address",
    [
        "http://github.com/a/b",
        "ssh://git@github.com/a/b",
        "git://github.com/a/b",
        "ext::sh -c touch% x",
        "https://user:secret@github.com/a/b",
        "https://github.com/a/b?x=1",
        "https://github.com/",
        "https://github.com/a/b\n",
        "--upload-pack=/bin/sh",
        "no/such/folder",
    ],
)
def test_an_address_that_is_no_public_repository_is_refused(address):
    with pytest.raises(InvalidInput) as caught:
        source(address)

    assert "secret" not in str(caught.value)


def test_a_transport_that_is_not_allowed_is_refused_by_git_too():
    with pytest.raises(GitFailed, match="not allowed"):
        Git().text("ls-remote", "--end-of-options", "ext::sh -c false", transports="https:file")


def test_a_folder_that_is_no_repository_is_refused(tmp_path):
    (tmp_path / "plain").mkdir()

    with pytest.raises(InvalidInput, match="no git repository"):
        read(tmp_path / "home", tmp_path / "plain")
