"""What one worker counts, for Prometheus. Nothing of a request's text is in a label; models are those offered here."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from mercato.compute.model import Attempt, End, Receipt, Surface, Usage

T = TypeVar("T", Counter, Histogram)
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counts requests, attempts, tokens and micro-dollars."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.live = Gauge("mercato_compute_requests_live", "Requests under way.", registry=registry)
        self._requests = Counter(
            "mercato_compute_requests", "Requests that were answered, by surface and how they ended.",
            ("surface", "end"), registry=registry,
        )  # fmt: skip
        self._refused = Counter(
            "mercato_compute_refused", "Requests that were refused, by HTTP status.", ("status",), registry=registry
        )
        self._attempts = Counter(
            "mercato_compute_attempts", "Attempts at providers; error is empty where one served.",
            ("provider", "error"), registry=registry,
        )  # fmt: skip
        self._first = Histogram(
            "mercato_compute_first_byte_seconds", "Time to the first word of a stream.", ("provider",),
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._whole = Histogram(
            "mercato_compute_attempt_seconds", "Time of an attempt.", ("provider",), buckets=_SECONDS, registry=registry
        )
        self._tokens = Counter(
            "mercato_compute_tokens", "Tokens that were paid for.", ("model", "kind"), registry=registry
        )
        self._micro = Counter(
            "mercato_compute_micro_dollars", "What users paid and providers earned.", ("side",), registry=registry
        )
        self._lied = Counter(
            "mercato_compute_overclaimed_tokens", "Tokens that providers claimed beyond our count.", ("provider",),
            registry=registry,
        )  # fmt: skip

        self._audits = Counter(
            "mercato_compute_audits", "Audits that were judged here.", ("provider", "verdict"), registry=registry
        )

    def judged(self, provider: str, verdict: str) -> None:
        """Counts an audit: pass, fail or void."""
        self._audits.labels(provider, verdict).inc()

    def attempt(self, name: str, attempt: Attempt) -> None:
        """Counts an attempt at a provider of that name."""
        _of(self._attempts, name, attempt.error).inc()
        _of(self._whole, name).observe(attempt.whole_ms / 1000)
        if attempt.first_ms is not None:
            _of(self._first, name).observe(attempt.first_ms / 1000)

    def settled(self, surface: Surface, name: str, receipt: Receipt) -> None:
        """Counts a request that was settled."""
        paid: Usage = receipt.claimed.least(receipt.counted)
        _of(self._requests, surface.value, receipt.end.value).inc()
        _of(self._micro, "charged").inc(receipt.charged)
        _of(self._micro, "earned").inc(receipt.earned)
        if receipt.end in (End.DONE, End.CLIENT_GONE):
            _of(self._tokens, receipt.model, "prompt").inc(paid.prompt)
            _of(self._tokens, receipt.model, "completion").inc(paid.completion)
        over = receipt.claimed.completion - receipt.counted.completion
        if over > 0:
            self._lied.labels(name).inc(over)

    def refused(self, status: int) -> None:
        """Counts a request that was refused."""
        self._refused.labels(str(status)).inc()

    def text(self) -> bytes:
        """Returns everything in Prometheus' words."""
        return generate_latest(self._registry)


@lru_cache(4096)
def _of(metric: T, *labels: str) -> T:
    """Returns a metric with its labels; finding it each time costs more than counting."""
    return metric.labels(*labels)
