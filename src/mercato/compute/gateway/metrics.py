"""What one worker counts, for Prometheus. Nothing of a request's text is in a label; models are those offered here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector

from mercato.compute.model import Attempt, End, Receipt, Surface, Usage

T = TypeVar("T", Counter, Histogram)
#: Names and ids of providers that are told apart, in each worker; nodes choose their names, and may choose another each
#: time they dial in. All later ones are counted together.
PROVIDERS, OTHERS = 1_000, "others"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """Counts requests, attempts, tokens and micro-dollars."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._known = lru_cache(4096)(self._counters)
        self._apart: set[str] = set()
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

        self._answers = Counter(
            "mercato_compute_answers", "Answers that were settled, by model, provider and how they ended.",
            ("model", "provider", "end"), registry=registry,
        )  # fmt: skip
        self._fallbacks = Counter(
            "mercato_compute_fallbacks", "Answers of a provider that was asked after others failed.", ("provider",),
            registry=registry,
        )  # fmt: skip
        self._counts = Counter(
            "mercato_compute_completion_tokens", "Tokens written, as providers claim and as we count them.",
            ("provider", "by"), registry=registry,
        )  # fmt: skip
        self._batches = Histogram(
            "mercato_compute_desk_batch", "Reserves and settles that were committed together.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256), registry=registry,
        )  # fmt: skip
        self._nodes = Gauge("mercato_compute_nodes", "Nodes whose tunnel is open.", registry=registry)
        self._audits = Counter(
            "mercato_compute_audits", "Audits that were judged here.", ("provider", "verdict"), registry=registry
        )

        self._odd = Counter(
            "mercato_compute_audit_notes", "What audits found odd about answers, by kind.",
            ("provider", "kind"), registry=registry,
        )  # fmt: skip

    def add(self, collector: Collector) -> None:
        """Adds what is counted elsewhere."""
        self._registry.register(collector)

    def batched(self, count: int) -> None:
        """Counts what the desk commits together."""
        self._batches.observe(count)

    def nodes(self, count: Callable[[], int]) -> None:
        """Asks for the number of open tunnels when it is wanted."""
        self._nodes.set_function(count)

    def judged(self, provider: str, verdict: str, notes: Iterable[str] = ()) -> None:
        """Counts an audit: pass, fail or void, and kinds of what was odd."""
        self._audits.labels(self._label(provider), verdict).inc()
        for kind in notes:
            self._odd.labels(self._label(provider), kind).inc()

    def attempt(self, name: str, attempt: Attempt) -> None:
        """Counts an attempt at a provider of that name."""
        name = self._label(name)
        _of(self._attempts, name, attempt.error).inc()
        _of(self._whole, name).observe(attempt.whole_ms / 1000)
        if attempt.first_ms is not None:
            _of(self._first, name).observe(attempt.first_ms / 1000)

    def settled(self, surface: Surface, name: str, receipt: Receipt, tries: int = 1) -> None:
        """Counts a request that was settled, by a provider of that name after so many tries."""
        name = self._label(name)
        requests, answers, claimed, counted, charged, earned = self._known(surface, name, receipt.model, receipt.end)
        for counter, count in (
            (requests, 1), (answers, 1), (claimed, receipt.claimed.completion), (counted, receipt.counted.completion),
            (charged, receipt.charged), (earned, receipt.earned),
        ):  # fmt: skip
            counter.inc(count)
        if tries > 1:
            self._fallbacks.labels(name).inc()
        paid: Usage = receipt.claimed.least(receipt.counted)
        if receipt.end in (End.DONE, End.CLIENT_GONE):
            _of(self._tokens, receipt.model, "prompt").inc(paid.prompt)
            _of(self._tokens, receipt.model, "completion").inc(paid.completion)
        over = receipt.claimed.completion - receipt.counted.completion
        if over > 0:
            self._lied.labels(name).inc(over)

    def _label(self, provider: str) -> str:
        if provider not in self._apart:
            if len(self._apart) >= PROVIDERS:
                return OTHERS
            self._apart.add(provider)
        return provider

    def _counters(self, surface: Surface, name: str, model: str, end: End) -> tuple[Counter, ...]:
        """Returns what every answer of a kind adds to."""
        return (
            self._requests.labels(surface.value, end.value), self._answers.labels(model, name, end.value),
            self._counts.labels(name, "claimed"), self._counts.labels(name, "counted"), self._micro.labels("charged"),
            self._micro.labels("earned"),
        )  # fmt: skip

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
