"""Runs the git program so that nothing but Mercato decides what it does.

No configuration, hook, credential helper, pager, editor, signature check or attribute of the user, the system or the
repository is honoured; only `https` and `file` transports exist; every run has a time limit and an output limit.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from mercato.core.errors import ConfigError, SourceError, Terminal
from mercato.core.settings import inherited

#: What the child sees of our environment: where programs are, and how to reach the network.
PASSED = (
    "PATH", "SYSTEMROOT", "TMPDIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE",
)  # fmt: skip

FIXED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_SSH_COMMAND": "false",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_PROTOCOL_FROM_USER": "0",
    "HOME": os.devnull,
    "XDG_CONFIG_HOME": os.devnull,
    "LC_ALL": "C",
}

#: Given on the command line, because that outranks the configuration inside a repository.
CONFIG = (
    "safe.directory=*",
    "safe.bareRepository=all",
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    f"core.attributesFile={os.devnull}",
    "core.quotePath=true",
    "core.alternateRefsCommand=true",
    "credential.helper=",
    "log.showSignature=false",
    "log.showRoot=true",
    "i18n.logOutputEncoding=UTF-8",
    "gc.auto=0",
    "maintenance.auto=false",
    "fetch.fsckObjects=false",
    "submodule.recurse=false",
    "http.followRedirects=initial",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)

#: Transports of a run. Reading is offline: a partial clone must never fetch behind our back.
OFFLINE, ONLINE = "", "https:file"
STDERR_KEPT = 16_384


class GitFailed(SourceError):
    """git stopped with an error; `facts` hold its exit status and the end of what it said."""

    code = "git-failed"


class GitLimit(SourceError, Terminal):
    """git ran past its time limit or wrote more than allowed; it was stopped and nothing was kept."""

    code = "git-limit"


@dataclass(frozen=True, slots=True)
class Git:
    """The git program with limits: `seconds` of wall time and `max_bytes` of output for each run."""

    seconds: float = 600.0
    max_bytes: int = 4_000_000_000
    program: str = "git"
    config: Sequence[str] = field(default=CONFIG)

    def command(self, *arguments: str) -> list[str]:
        """Returns the full command line. Raises ConfigError where git is not installed."""
        found = shutil.which(self.program)
        if not found:
            raise ConfigError(
                f"the program {self.program!r} was not found", hint="install git 2.30 or later, or leave builders out"
            )
        switches = [part for setting in self.config for part in ("-c", setting)]
        return [found, "--no-pager", "--literal-pathspecs", *switches, *arguments]

    def text(self, *arguments: str, stdin: str = "", transports: str = OFFLINE) -> str:
        """Returns what git printed, as text. Raises GitFailed or GitLimit."""
        with tempfile.TemporaryFile() as spool:
            self.spool(spool, *arguments, stdin=stdin, transports=transports)
            spool.seek(0)
            return spool.read().decode("utf-8", "replace")

    def asks(self, *arguments: str) -> bool:
        """Returns git's yes (exit status 0) or no (1); any other status raises GitFailed."""
        try:
            self.text(*arguments)
        except GitFailed as error:
            if error.facts["status"] == 1:
                return False
            raise
        return True

    def spool(
        self,
        into: IO[bytes],
        *arguments: str,
        stdin: str = "",
        transports: str = OFFLINE,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Writes what git prints to `into` and returns the number of bytes; `progress` hears of each piece.

        Raises GitFailed where the exit status is not 0 (an incomplete clone stops with 128 half-way, so whoever
        calls must keep nothing of what was written), and GitLimit past the limits.
        """
        allowed = {"GIT_ALLOW_PROTOCOL": transports or "none"}
        environment = inherited(PASSED) | FIXED | allowed
        process = subprocess.Popen(  # noqa: S603 - arguments are a list, and options end before any name
            self.command(*arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        return _Watch(process, self, arguments).drain(into, stdin.encode(), progress)


class _Watch:
    """One running git: feeds it, reads it, and stops it with all its children when it passes a limit."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Git, arguments: Sequence[str]) -> None:
        self.process, self.limits, self.arguments = process, limits, arguments
        self.late = threading.Event()
        self.said = bytearray()

    def drain(self, into: IO[bytes], stdin: bytes, progress: Callable[[int], None] | None) -> int:
        timer = threading.Timer(self.limits.seconds, self._expire)
        workers = [threading.Thread(target=self._feed, args=(stdin,)), threading.Thread(target=self._listen)]
        for thread in (timer, *workers):
            thread.start()
        try:
            written = self._copy(into, progress)
            status = self.process.wait()
        finally:
            timer.cancel()
            self._stop()
            for thread in workers:
                thread.join()
            self._close()
        self._judge(written, status)
        return written

    def _copy(self, into: IO[bytes], progress: Callable[[int], None] | None) -> int:
        assert self.process.stdout is not None
        written = 0
        while piece := self.process.stdout.read1(1 << 20):  # type: ignore[attr-defined] # Popen types its pipes as IO, they are buffered readers
            written += len(piece)
            if written > self.limits.max_bytes:
                self._stop()
                break
            into.write(piece)
            if progress:
                progress(written)
        return written

    def _judge(self, written: int, status: int) -> None:
        what = f"git {self.arguments[0] if self.arguments else ''}".strip()
        if self.late.is_set():
            raise GitLimit(f"{what} ran past {self.limits.seconds:g} s", hint="raise the time limit, or fetch again")
        if written > self.limits.max_bytes:
            raise GitLimit(f"{what} wrote more than {self.limits.max_bytes} bytes", hint="raise the output limit")
        if status:
            said = bytes(self.said).decode("utf-8", "replace").strip()
            raise GitFailed(
                f"{what} stopped with exit status {status}: {said[-500:] or 'no message'}",
                hint=_hint(said),
                status=status,
                said=said,
            )

    def _feed(self, stdin: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(stdin)
            self.process.stdin.close()
        except (BrokenPipeError, ValueError):  # git stopped before it read everything: its status tells why
            pass

    def _listen(self) -> None:
        assert self.process.stderr is not None
        while piece := self.process.stderr.read1(4096):  # type: ignore[attr-defined] # Popen types its pipes as IO, they are buffered readers
            self.said += piece
            del self.said[:-STDERR_KEPT]

    def _expire(self) -> None:
        self.late.set()
        self._stop()

    def _stop(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                if stream:
                    stream.close()
            except BrokenPipeError:
                pass


def _hint(said: str) -> str:
    lowered = said.lower()
    if any(word in lowered for word in ("bad object", "unable to read", "missing", "could not parse", "traverse")):
        return "the clone is incomplete; clone or fetch it again, nothing was kept of this run"
    if "not allowed" in lowered:
        return "only https:// addresses and local paths are read"
    if "could not read username" in lowered or "not found" in lowered:
        return "the repository does not exist or is private; check the address"
    return "read the message of git above, then try again"


def private_folder(home: Path) -> Path:
    """Returns the folder for repositories under `home`, readable by this user only."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    return home
