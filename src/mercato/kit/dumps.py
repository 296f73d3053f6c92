"""Keeps a process that holds a key from leaving a copy of its memory behind when it crashes.

A key has to be in memory to sign with. What can be done is that no crash writes that memory to a file, and that no
other program of the same user reads it (on Linux). Whoever is root, and whoever reads swapped pages, can all the same:
a key that they must not get belongs behind a signer elsewhere.
"""

from __future__ import annotations

import sys

PR_SET_DUMPABLE = 4  # prctl(2)


def forbid() -> None:
    """Makes this process leave no core dump from now on; its children may, unless they forbid it themselves."""
    if sys.platform == "win32":
        return  # a crash there writes nothing unless somebody set the machine up for it
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        # A handler that core_pattern pipes dumps to is not held by the limit.
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
