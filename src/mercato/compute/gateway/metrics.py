"""What one worker counts, for Prometheus. Nothing of a request's text is in a label; models are those offered here."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from mercato.compute.model import Attempt, End, Receipt, Surface, Usage

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
        self._attempts.labels(name, attempt.error).inc()
        self._whole.labels(name).observe(attempt.whole_ms / 1000)
        if attempt.first_ms is not None:
            self._first.labels(name).observe(attempt.first_ms / 1000)

    def settled(self, surface: Surface, name: str, receipt: Receipt) -> None:
        """Counts a request that was settled."""
        paid: Usage = receipt.claimed.least(receipt.counted)
        self._requests.labels(surface.value, receipt.end.value).inc()
        self._micro.labels("charged").inc(receipt.charged)
        self._micro.labels("earned").inc(receipt.earned)
        if receipt.end in (End.DONE, End.CLIENT_GONE):
            self._tokens.labels(receipt.model, "prompt").inc(paid.prompt)
            self._tokens.labels(receipt.model, "completion").inc(paid.completion)
        over = receipt.claimed.completion - receipt.counted.completion
        if over > 0:
            self._lied.labels(name).inc(over)

    def refused(self, status: int) -> None:
        """Counts a request that was refused."""
        self._refused.labels(str(status)).inc()

    def text(self) -> bytes:
        """Returns everything in Prometheus' words."""
        return generate_latest(self._registry)
