"""Reads the commits of a repository with `git log`, only the new ones, and keeps the exact bytes as raw documents.

Two logs are read: of the default branch, and of everything else that refs point to. The position (the ref tips) is
written after the documents were taken, so a run that is killed is repeated and taken once, since equal bytes are
taken once.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mercato.market.connectors.gitcli import Git, GitFailed
from mercato.market.connectors.gitlog import PARSER, SWITCHES, count, log_format, pieces
from mercato.market.connectors.gitrepo import Progress, Repository, Source, Tips
from mercato.market.model import RawDocument

PIECE = 32_000_000  # bytes of log in one raw document


@dataclass(frozen=True, slots=True)
class Project:
    """Whose commits these are: a project name, and the asset it stands for ('' when none)."""

    name: str
    asset_id: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a repository: its new raw documents, the position to keep, and what was noticed."""

    documents: Sequence[RawDocument]
    tips: Tips
    commits: int
    flags: Sequence[str] = ()
    rewritten: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class _Part:
    """One log to read: from these tips, without what these reach."""

    tips: Sequence[str]
    without: Sequence[str]
    on_default: bool


class Reader:
    """Reads repositories into a folder under Mercato's home. `now` gives the time of observation."""

    def __init__(self, home: Path, now: Callable[[], datetime], git: Git | None = None) -> None:
        self.home, self.now, self.git = home, now, git or Git()

    @contextmanager
    def read(self, what: Source, project: Project, progress: Progress | None = None) -> Iterator[Reading]:
        """Yields the new commits of a repository; the position moves on only if the block ends without an error."""
        repository = Repository(what, self.home, self.git)
        reading = self._read(repository, project, progress)
        yield reading
        _write(self._position(repository), reading.tips)

    def _position(self, repository: Repository) -> Path:
        return repository.path.with_suffix(".json")

    def _read(self, repository: Repository, project: Project, progress: Progress | None) -> Reading:
        before = _load(self._position(repository))
        tips = repository.refresh(progress)
        missing = tips.commits - repository.present(tips.commits)
        if tips.default in missing:
            raise GitFailed(
                f"the default branch of {repository.source.name!r} points to {tips.default}, which is not here",
                hint="the clone is incomplete; clone or fetch it again, nothing was kept of this run",
                status=128,
            )
        known = repository.present(before.commits) if before.commits else frozenset()
        rewritten = _rewritten(repository, before, tips, known)
        documents = [
            document
            for part in _parts(repository, before, tips, known, missing)
            for document in self._log(repository, project, part, progress)
        ]
        flags = [f"rewritten:{name}" for name in rewritten] + [f"no-commit:{sha}" for sha in sorted(missing)]
        return Reading(
            tuple(documents),
            tips,
            sum(count(document.content) for document in documents),
            tuple(flags),
            tuple(rewritten),
        )

    def _log(
        self, repository: Repository, project: Project, part: _Part, progress: Progress | None
    ) -> list[RawDocument]:
        """Returns the documents of one log, or raises before any is made where git did not finish."""
        arguments = ["log", *SWITCHES, log_format(repository.source.name), "--stdin"]
        stdin = "".join(f"{sha}\n" for sha in part.tips) + "".join(f"^{sha}\n" for sha in part.without)
        heard = (lambda size: progress(f"reading {repository.source.name}", size)) if progress else None
        with tempfile.TemporaryFile(dir=self.home) as spool:
            self.git.spool(spool, f"--git-dir={repository.path}", *arguments, stdin=stdin, progress=heard)
            spool.seek(0)
            return [self._document(repository, project, part, piece) for piece in pieces(spool, PIECE)]

    def _document(self, repository: Repository, project: Project, part: _Part, content: bytes) -> RawDocument:
        scope = "default branch" if part.on_default else "all other refs"
        return RawDocument(
            content=content,
            source=f"git:{repository.source.name}",
            parser=PARSER,
            observed_at=self.now(),
            request=f"git log {scope} of {repository.source.name}",
            media_type="application/x-git-log",
            licence="facts of a public history; the code has the licence of its repository",
            options={
                "project": project.name,
                "repository": repository.source.name,
                "asset_id": project.asset_id,
                "on_default": "1" if part.on_default else "0",
            },
        )


def _parts(
    repository: Repository, before: Tips, tips: Tips, known: frozenset[str], missing: frozenset[str]
) -> Iterator[_Part]:
    """Yields the logs that hold what is new: the default branch, the rest, and what a rewrite took off the default."""
    old = before.default if before.default in known else ""
    if tips.default and tips.default != old:
        yield _Part([tips.default], [old] if old else [], on_default=True)
    others = sorted(tips.commits - {tips.default} - missing - known)
    if others:
        yield _Part(others, sorted(known | ({tips.default} if tips.default else frozenset())), on_default=False)
    if old and tips.default and old != tips.default and not repository.contains(old, tips.default):
        yield _Part([old], [tips.default], on_default=False)


def _rewritten(repository: Repository, before: Tips, tips: Tips, known: frozenset[str]) -> list[str]:
    """Returns the refs whose old tip is not part of the new history: a forced push, or a branch put elsewhere."""
    names = {**dict(before.refs), "HEAD": before.default} if before.default else dict(before.refs)
    now = {**dict(tips.refs), "HEAD": tips.default}
    moved = [
        (name, sha, now[name])
        for name, sha in sorted(names.items())
        if name.startswith(("refs/heads/", "HEAD")) and now.get(name) and now[name] != sha
    ]
    return [name for name, sha, new in moved if sha not in known or not repository.contains(sha, new)]


def _load(path: Path) -> Tips:
    """Returns the position of the last reading; a missing or damaged file means: read everything again."""
    try:
        kept = json.loads(path.read_bytes())
        return Tips(refs={str(k): str(v) for k, v in kept["refs"].items()}, default=str(kept["default"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Tips(refs={}, default="")


def _write(path: Path, tips: Tips) -> None:
    """Replaces the position in one step, so that a crash leaves the old or the new one."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        json.dump({"refs": dict(tips.refs), "default": tips.default, "branch": tips.branch}, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
