"""Waiting for what threads and other processes do, and reading the lines that these write."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def wait_for(done: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits until something is so; a test fails where it takes longer than even a busy machine needs."""
    end = time.monotonic() + seconds
    while not done() and time.monotonic() < end:
        time.sleep(0.02)
    assert done()


def lines(file: Path) -> list[str]:
    """Returns the lines of a file; none where it is not there yet."""
    return file.read_text().splitlines() if file.exists() else []
