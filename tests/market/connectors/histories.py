"""Builds real git repositories for tests, from a few words or at random, with git itself."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "LC_ALL": "C",
}

PEOPLE = (
    (b"Ada Lovelace", b"ada@example.org"),
    (b"Bob", b"1234+bob@users.noreply.github.com"),
    (b"dependabot[bot]", b"49699333+dependabot[bot]@users.noreply.github.com"),
    ("Zoë 🦊".encode(), b"zoe@example.org"),
    (b"Latin \xe9", b"latin@example.org"),
    (b"x", b""),
)


def git(folder: Path, *arguments: str, stdin: bytes = b"", check: bool = True) -> str:
    """Returns what plain git prints in that folder."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments],
        input=stdin,
        capture_output=True,
        env=ENVIRONMENT,
        check=check,
        timeout=60,
    )
    return done.stdout.decode("utf-8", "replace")


def empty(folder: Path) -> Path:
    """Returns a new repository with no commit, its branch called main."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(
    folder: Path,
    message: bytes,
    *,
    branch: str = "main",
    author: tuple[bytes, bytes] = PEOPLE[0],
    at: int = 1_735_689_600,
    files: dict[bytes, bytes] | None = None,
    merge: str = "",
    encoding: str = "",
) -> str:
    """Adds one commit to a branch with fast-import, with exactly these bytes, and returns its id."""
    ref = f"refs/heads/{branch}"
    known = git(folder, "rev-parse", "--quiet", "--verify", ref, check=False).strip()
    stream = b"commit %s\n" % ref.encode()
    stream += b"author %s <%s> %d +0000\ncommitter %s <%s> %d +0000\n" % (*author, at, *author, at)
    stream += b"encoding %s\n" % encoding.encode() if encoding else b""
    stream += b"data %d\n%s\n" % (len(message), message)
    stream += b"from %s\n" % known.encode() if known else b""
    stream += b"merge %s\n" % merge.encode() if merge else b""
    for path, content in (files or {}).items():
        stream += b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(content), content)
    git(folder, "fast-import", "--quiet", "--force", stdin=stream + b"\n")
    return git(folder, "rev-parse", ref).strip()


def scrambled(folder: Path, seed: int, commits: int) -> Path:
    """Returns a repository with a random history: branches, merges, bots, vendored files, odd names."""
    chance = random.Random(seed)
    empty(folder)
    made: list[str] = []
    paths = [b"src/a.py", b"vendor/x.c", b"yarn.lock", "é ü".encode(), b"deep/er/b.ts"]
    messages = [b"fix\n\nCo-authored-by: Bot <b@example.org>", b"", b"\n\nodd", "ünï".encode(), b"x" * 900]
    for number in range(commits):
        branch = chance.choice(["main", "main", "develop", "release/1", f"topic-{chance.randrange(4)}"])
        others = sorted(set(made) - {branch})
        merge = f"refs/heads/{chance.choice(others)}" if others and chance.random() < 0.3 else ""
        files = dict.fromkeys(chance.sample(paths, 2), b"%d" % number) if chance.random() < 0.9 else {}
        at = 1_700_000_000 + number * chance.randrange(1, 9000)
        commit(
            folder,
            chance.choice(messages),
            branch=branch,
            author=chance.choice(PEOPLE),
            at=at,
            merge=merge,
            files=files,
        )
        made.append(branch)
    git(folder, "symbolic-ref", "HEAD", f"refs/heads/{made[0]}")
    return folder
