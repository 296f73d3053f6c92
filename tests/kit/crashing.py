"""A program that takes a key as the kit's commands do, signs with it, and crashes: `python -m tests.kit.crashing HOW`.

With `plain` it holds the key without the kit, for comparison.
"""

from __future__ import annotations

import os
import resource
import sys

from mercato.chains.signing import Key
from mercato.chains.testing import KEYS
from mercato.core.settings import Secret

WORDS = bytes(range(32))


def allow_dumps() -> None:
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def main(how: str) -> None:
    allow_dumps()
    if how == "plain":
        key = Key(Secret(KEYS[0].hex()))
        key.digest(WORDS)
        os.abort()
    from mercato.kit.opening import opened

    with opened() as found:
        found.kit()._wallet.digest(WORDS)  # type: ignore[union-attr]  # the settings have a wallet of an EVM chain
        os.abort()


if __name__ == "__main__":
    main(sys.argv[1])
