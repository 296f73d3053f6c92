"""Counts for Prometheus, in a registry of their own so that two applications in one process do not clash."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4 as MEDIA_TYPE

__all__ = ["MEDIA_TYPE", "Metrics"]


class Metrics:
    """What the API counts; rooms may register their own collectors on `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("mercato_requests", "Requests answered", labels, registry=self.registry)
        self._seconds = Histogram(
            "mercato_request_seconds", "Time to answer", ("method", "route"), registry=self.registry,
            buckets=(0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        )  # fmt: skip
        self.subscribers = Gauge("mercato_live_subscribers", "Open live connections", registry=self.registry)
        self.messages = Counter("mercato_live_messages", "Live messages published", registry=self.registry)
        self.dropped = Counter("mercato_live_dropped", "Live messages dropped for slow readers", registry=self.registry)
        self.relayed = Counter("mercato_outbox_relayed", "Outbox events handed to the hub", registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Returns everything counted, in Prometheus's text format."""
        return generate_latest(self.registry)
