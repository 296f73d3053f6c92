"""The polite client that every connector uses: it waits its turn, counts its calls, and trusts no answer.

One call goes through, in this order: the circuit breaker, the monthly budget, the token bucket, then the wire. A 429 is
waited for as the source asks (up to a limit), 5xx and timeouts are retried with growing, jittered waits. Keys are put
into headers here, at the last moment; they are in no URL, no kept header, no error and no log.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from urllib.parse import urljoin, urlsplit

import httpx
import structlog

from mercato.core.clock import Clock
from mercato.core.errors import SourceError
from mercato.core.settings import Secret
from mercato.market.connectors.body import read_body
from mercato.market.connectors.breaker import Breaker
from mercato.market.connectors.bucket import TokenBucket
from mercato.market.connectors.budget import Budget
from mercato.market.connectors.errors import Postponed, UnsafeAnswer
from mercato.market.connectors.retry import Retries, retry_after
from mercato.market.connectors.state import Notebook
from mercato.market.connectors.wire import Deadline, Wire, is_loopback

KEPT_HEADERS = ("content-type", "date", "etag", "last-modified")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may do and how long we wait. Times in seconds, sizes in bytes."""

    per_minute: float
    burst: int = 1
    monthly_calls: int | None = None
    connect_seconds: float = 10.0
    read_seconds: float = 20.0
    total_seconds: float = 120.0
    max_bytes: int = 64_000_000
    redirects: int = 3
    retries: Retries = field(default_factory=Retries)
    breaker_threshold: int = 5
    breaker_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `unchanged` means 304: the content is what it was, and `content` is empty."""

    content: bytes
    url: str
    observed_at: datetime
    headers: Mapping[str, str]
    unchanged: bool = False


class _Again(Exception):
    """One attempt failed in a way that another may not. `wait` is what the source asked for."""

    def __init__(self, reason: str, *, wait: float | None = None, limited: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.limited = wait, limited


class Client:
    """A polite client for one account of one source. Close it, or use it as a context manager.

    Clients of one account share its `bucket` where one is handed in.
    """

    def __init__(
        self,
        account: str,
        limits: Limits,
        state: Notebook,
        clock: Clock,
        *,
        user_agent: str,
        secrets: Mapping[str, Secret] | None = None,
        bucket: TokenBucket | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.account, self.limits = account, limits
        self.budget = Budget(account, limits.monthly_calls, state, clock)
        self.breaker = Breaker(
            account, state, clock, threshold=limits.breaker_threshold, cool_down=limits.breaker_seconds
        )
        self._bucket = bucket or TokenBucket(limits.per_minute, limits.burst, clock)
        self._clock, self._chance = clock, chance or random.Random()
        self._secrets = {name: value for name, value in (secrets or {}).items() if value.reveal()}
        self._user_agent = user_agent
        self._deadline = Deadline()
        self._http = httpx.Client(
            transport=Wire(self._deadline),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds),
        )

    def get(
        self, url: str, params: Mapping[str, str] | None = None, *, accept: str = "application/json", etag: str = ""
    ) -> Answer:
        """Returns the answer to a GET. `etag` asks for it only if it changed since.

        Raises Postponed where the source is not to be asked now, UnsafeAnswer where the answer broke a rule, and
        otherwise SourceError: with the fact `status` for 4xx, without it where no answer came.
        """
        full = str(httpx.URL(url).copy_merge_params(dict(params or {})))
        require_safe(full)
        headers = {"accept": accept, "accept-encoding": "gzip", "user-agent": self._user_agent}
        if etag:
            headers["if-none-match"] = etag
        last = _Again("it was never asked")
        for attempt in range(self.limits.retries.attempts):
            try:
                return self._attempt(full, headers)
            except _Again as error:
                last = error
            self._wait(full, last, attempt)
        raise self._given_up(full, last)

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _attempt(self, url: str, headers: Mapping[str, str]) -> Answer:
        self.breaker.allow()
        target = url
        for _ in range(self.limits.redirects + 1):
            self.budget.spend()
            self._bucket.take()
            answer = self._once(target, headers)
            if isinstance(answer, Answer):
                self.breaker.succeeded()
                return answer
            target = require_same_host(target, answer)
        raise UnsafeAnswer(f"{_bare(url)} redirected more than {self.limits.redirects} times", url=_bare(url))

    def _once(self, url: str, headers: Mapping[str, str]) -> Answer | str:
        """Returns the answer, or where it redirects to. Raises _Again for what may pass."""
        self._deadline.start(self.limits.total_seconds)
        keys = {name: value.reveal() for name, value in self._secrets.items()}
        try:
            with self._http.stream("GET", url, headers={**headers, **keys}) as response:
                return self._read(url, response)
        except (httpx.TransportError, httpx.DecodingError) as error:
            self.breaker.failed()
            raise _Again(f"{type(error).__name__}: {error}") from error

    def _read(self, url: str, response: httpx.Response) -> Answer | str:
        status, now = response.status_code, self._clock.now()
        kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        wait = retry_after(response.headers.get("retry-after"), now)
        if status == 304:
            return Answer(b"", url, now, kept, unchanged=True)
        if status in (301, 302, 303, 307, 308):
            return urljoin(url, str(response.headers.get("location", "")))
        if status == 429:
            raise _Again("it answered 429, too many requests", wait=wait, limited=True)
        if status >= 500 or status == 408:
            self.breaker.failed()
            raise _Again(f"it answered {status}", wait=wait)
        if status != 200:
            self.breaker.succeeded()  # it is there and answers; the fault is in what was asked
            raise SourceError(
                f"{_bare(url)} answered {status}",
                hint="check the ids, the key and the plan of this source" if status < 404 else "",
                url=_bare(url),
                status=status,
            )
        content = read_body(response.iter_raw(), response.headers, self.limits.max_bytes)
        if any(value.reveal().encode() in content for value in self._secrets.values()):
            raise UnsafeAnswer(f"{_bare(url)} repeated the key in its answer", hint="nothing was kept", url=_bare(url))
        return Answer(content, url, now, kept)

    def _wait(self, url: str, last: _Again, attempt: int) -> None:
        """Sleeps before the next attempt. Raises Postponed where the source asks for more than one run has."""
        own = self.limits.retries.delay(attempt, self._chance)
        wait = own if last.wait is None else max(last.wait, own if last.wait else 0.0)
        if wait > self.limits.retries.longest:
            raise self._limited(url, wait)
        if attempt + 1 < self.limits.retries.attempts:
            log.warning("source_retry", account=self.account, url=_bare(url), reason=str(last), wait=round(wait, 1))
            self._clock.sleep(wait)

    def _limited(self, url: str, wait: float) -> Postponed:
        until = (self._clock.now() + timedelta(seconds=wait)).isoformat(timespec="seconds")
        return Postponed(
            f"{_bare(url)} asked to wait {wait:.0f} s",
            hint=f"the next run after {until} goes on",
            why="rate-limited",
            retry_at=until,
        )

    def _given_up(self, url: str, last: _Again) -> SourceError:
        if last.limited:
            return self._limited(url, last.wait or self.limits.retries.longest)
        return SourceError(
            f"{_bare(url)} gave no answer in {self.limits.retries.attempts} attempts: {last}",
            hint="nothing was lost; the next run goes on from here",
            url=_bare(url),
        )


def require_safe(url: str) -> None:
    """Raises UnsafeAnswer unless the URL is https, or http to this machine (a mirror or a test)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username or parts.password:
        raise UnsafeAnswer(f"the URL of {host!r} carried a name or password", hint="keys belong into the settings")
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)):
        return
    raise UnsafeAnswer(f"the URL {_bare(url)!r} was not https", hint="set an https base URL for this source")


def require_same_host(url: str, target: str) -> str:
    """Returns the redirect target. Raises UnsafeAnswer where it leaves the scheme, host or port asked."""
    here, there = urlsplit(url), urlsplit(target)
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise UnsafeAnswer(
            f"{_bare(url)} redirected to {there.scheme}://{there.netloc}",
            hint="redirects to another host are not followed, since keys would travel with them",
            url=_bare(url),
        )
    return target


def _bare(url: str) -> str:
    """Returns the URL without its query and without user information, for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
