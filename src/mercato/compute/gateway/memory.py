"""How a worker gives memory back to the system, where glibc manages it; other libraries do so by themselves.

glibc keeps what is freed for the next time. Whenever a large block is freed, it also begins to take blocks of that size
from where small ones are, and one small block that stays keeps all around it: after a dozen requests of 10 and 20 MB a
worker held 190 MB for good, and with large blocks apart under 60.
"""

from __future__ import annotations

import ctypes

LARGE_OCTETS = 256 * 1024
_MMAP_THRESHOLD = -3  # glibc's M_MMAP_THRESHOLD; setting it also ends that it moves
_LIBC = ctypes.CDLL(None)


def keep_large_apart() -> None:
    """Lets every large block be taken from the system by itself, and given back when it is freed."""
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_MMAP_THRESHOLD, LARGE_OCTETS)


def give_back() -> None:
    """Gives back what is free. Takes milliseconds: for after something large that will not come again."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
