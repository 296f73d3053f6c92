"""Where commits are read from: a local repository seen through a private one, or a clone in Mercato's home.

A repository that someone else wrote may carry configuration that runs programs. So no log is ever read inside it:
a private bare repository, whose configuration is ours, borrows the objects of the other one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mercato.core.errors import InvalidInput
from mercato.market.connectors.gitcli import ONLINE, Git, GitFailed, private_folder

Progress = Callable[[str, int], None]

_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


@dataclass(frozen=True, slots=True)
class Tips:
    """What the names of a repository point to: commit ids by ref, and the tip of the default branch ('' when none)."""

    refs: Mapping[str, str]
    default: str
    branch: str = ""

    @property
    def commits(self) -> frozenset[str]:
        """Returns every id that some ref or the default branch points to."""
        return frozenset(self.refs.values()) | ({self.default} if self.default else frozenset())


@dataclass(frozen=True, slots=True)
class Source:
    """A repository to read. `name` is its canonical id, `address` an https URL or an absolute path."""

    name: str
    address: str
    local: bool


def repository_name(address: str) -> str:
    """Returns the canonical id of a repository address, so that the same one is never counted twice.

    https only; the host and, on hosts that ignore case, the path are lower case; `.git` and slashes at the end go.
    Raises InvalidInput for other schemes and for addresses with a user name or password.
    """
    parts = urlsplit(address.strip())
    if parts.scheme != "https" or not parts.hostname or re.search(r"[\s\x00-\x1f]", address):
        raise InvalidInput(f"repository address was {address!r}", hint="give an https:// URL or a local path")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput(
            f"repository address at {parts.hostname!r} held a user name, password, query or fragment",
            hint="public repositories need none; leave it out",
        )
    host = parts.hostname.lower() + (f":{parts.port}" if parts.port else "")
    path = re.sub(r"(\.git)?/*$", "", re.sub(r"/{2,}", "/", parts.path))
    if host in {"github.com", "www.github.com", "gitlab.com"}:
        host, path = host.removeprefix("www."), path.lower()
    if path.count("/") < 1 or path == "/":
        raise InvalidInput(f"repository address was {address!r}, which names no repository")
    return f"https://{host}{path}"


def source(address: str, name: str = "") -> Source:
    """Returns what `address` names: an https URL, or a local path whose id is `name` or its `file://` address."""
    if "://" in address:
        if address.startswith("file://"):
            return source(urlsplit(address).path, name)
        return Source(repository_name(name or address), address.strip(), local=False)
    if address.startswith("-") or "\0" in address:
        raise InvalidInput(f"repository path was {address!r}", hint="give an https:// URL or a local path")
    path = Path(address).expanduser().absolute()
    if not path.is_dir():
        raise InvalidInput(f"repository path was {address!r}, which is no folder", hint="is the path right?")
    return Source(repository_name(name) if name else path.as_uri(), str(path), local=True)


class Repository:
    """A private bare repository under `home` that can list the refs of a source and print its log."""

    def __init__(self, what: Source, home: Path, git: Git) -> None:
        self.source, self.git = what, git
        folder = hashlib.sha256(f"{what.name}\0{what.address}".encode()).hexdigest()[:24]
        self.path = private_folder(home) / f"{folder}.git"

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Returns what git printed inside the private repository, offline."""
        return self.git.text(f"--git-dir={self.path}", *arguments, stdin=stdin)

    def refresh(self, progress: Progress | None = None) -> Tips:
        """Brings the objects here (remote) or points to them (local) and returns the refs."""
        if not (self.path / "HEAD").is_file():
            self.git.text("init", "--bare", "--quiet", "--template=", "--end-of-options", str(self.path))
        return self._borrow() if self.source.local else self._fetch(progress)

    def present(self, ids: frozenset[str]) -> frozenset[str]:
        """Returns those ids whose objects are here."""
        listed = self.run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin="".join(f"{i}\n" for i in ids))
        rows = (line.split(" ") for line in listed.splitlines())
        return frozenset(row[0] for row in rows if len(row) == 2 and row[1] in {"commit", "tag"})

    def contains(self, old: str, new: str) -> bool:
        """Returns whether commit `old` is part of the history of `new`."""
        return self.git.asks(f"--git-dir={self.path}", "merge-base", "--is-ancestor", "--end-of-options", old, new)

    def _borrow(self) -> Tips:
        there = self._common_folder()
        inside = f"--git-dir={there}"
        if self.git.text(inside, "rev-parse", "--is-shallow-repository").strip() == "true":
            raise InvalidInput(
                f"repository {self.source.address!r} was cut off (a shallow clone), so its history cannot be counted",
                hint="run `git fetch --unshallow` in it",
            )
        (self.path / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (self.path / "objects" / "info" / "alternates").write_text(f"{there / 'objects'}\n", encoding="utf-8")
        return self._tips(inside)

    def _common_folder(self) -> Path:
        path = Path(self.source.address)
        try:
            found = self.git.text("-C", str(path), "rev-parse", "--git-common-dir").rstrip("\n")
        except GitFailed as error:
            raise InvalidInput(
                f"path {self.source.address!r} was no git repository", hint="give the folder that holds `.git`"
            ) from error
        return (path / found).resolve()

    def _fetch(self, progress: Progress | None) -> Tips:
        address = self.source.address
        self.run("config", "remote.origin.url", address)
        for name, value in (("promisor", "true"), ("partialclonefilter", "blob:none")):
            self.run("config", f"remote.origin.{name}", value)
        if progress:
            progress(f"fetching {self.source.name}", 0)
        inside = f"--git-dir={self.path}"
        self.git.text(
            inside, "fetch", "--quiet", "--no-tags", "--prune", "--filter=blob:none", "--no-write-fetch-head",
            "--no-recurse-submodules", "origin", *_REFSPECS, transports=ONLINE,
        )  # fmt: skip
        head = self.git.text("ls-remote", "--symref", "--end-of-options", address, "HEAD", transports=ONLINE)
        named = re.search(r"^ref: (\S+)\tHEAD$", head, re.MULTILINE)
        if named:
            self.run("symbolic-ref", "HEAD", named.group(1))
        return self._tips(inside)

    def _tips(self, inside: str) -> Tips:
        listed = self.git.text(inside, "for-each-ref", "--format=%(objectname) %(refname)")
        refs = {name: sha for sha, _, name in (line.partition(" ") for line in listed.splitlines())}
        branch = self.git.text(inside, "rev-parse", "--symbolic-full-name", "HEAD").strip() if refs else ""
        default = refs.get(branch, "")
        if not default and self.git.asks(inside, "rev-parse", "--quiet", "--verify", "HEAD^{commit}"):
            default = self.git.text(inside, "rev-parse", "--verify", "HEAD^{commit}").strip()
        return Tips(refs=refs, default=default, branch=branch if default else "")
