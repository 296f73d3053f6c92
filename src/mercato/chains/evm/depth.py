"""How deep Python may recurse: py-evm needs thousands of frames, text from outside must never have them.

Importing py-evm raises the limit for the whole process. A nested JSON text then runs out of the stack and ends the
process, where it should have raised RecursionError. So the limit is high only while a transaction runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

DEEP = 12 * 1024  # frames: a dozen for each of the EVM's 1024 nested calls
_lock = Lock()
_inside = 0
_usual = 0


@contextmanager
def deep() -> Iterator[None]:
    """Lets this process recurse deeply for a while; the usual limit comes back when the last one leaves."""
    global _inside, _usual
    with _lock:
        if not _inside:
            _usual = sys.getrecursionlimit()
            sys.setrecursionlimit(max(DEEP, _usual))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                sys.setrecursionlimit(_usual)
