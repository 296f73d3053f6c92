"""The most that clients may ask of the façade."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one façade.

    body             bytes of one request, over HTTP and WebSocket alike
    batch            requests in one batch
    log_blocks       blocks in one question for logs
    logs             logs in one answer
    filters          filters at once, and how long one lives that nobody asks
    kept             items that a filter keeps for its client; older ones are forgotten
    sockets          WebSocket connections at once
    subscriptions    of one connection
    waiting          messages that may wait for a connection, and how long one may wait for its client to take it
    """

    body: int = 2_000_000
    batch: int = 100
    log_blocks: int = 100_000
    logs: int = 20_000
    filters: int = 256
    filter_seconds: int = 300
    kept: int = 10_000
    sockets: int = 100
    subscriptions: int = 64
    waiting: int = 20_000
    stall_seconds: int = 10
