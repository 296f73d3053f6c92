"""What the numbers mean by which well-known programs refuse, in words. Programs write no reasons for them.

The numbers are those of the programs' own sources: `TokenError` of both token programs, `SystemError`, `StakeError`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mercato.chains.solana.model import SYSTEM, TOKEN, TOKEN_2022
from mercato.chains.solana.stake import STAKE

_FAILED = re.compile(r"Program (\w{32,44}) failed: custom program error: 0x([0-9a-f]{1,8})")
_TOKENS = {
    0x1: "there is not so much of the token",
    0x3: "the account is of another token",
    0x4: "the account is somebody else's",
    0x5: "nobody can make more of the token",
    0xB: "something is left in the account",
    0xD: "the account is not in the state for that",
    0xE: "there would be more of the token than 64 bits can say",
    0x10: "nobody can freeze accounts of the token",
    0x11: "the account is frozen",
    0x12: "the token has another number of decimals",
}
_MEANS: dict[str, dict[int, str]] = {
    SYSTEM: {0x0: "something lies at the new account's address already", 0x1: "there are not so many lamports"},
    TOKEN: _TOKENS,
    TOKEN_2022: {
        **_TOKENS,
        0x1C: "something is left of the token",
        0x20: "the transfer fee is another one",
        0x24: "whoever gets it takes transfers with a memo only",
        0x25: "the token is bound to its holder",
        0x43: "all transfers of the token are stopped",
    },
    STAKE: {
        0x2: "the delegation was ended before",
        0x3: "the delegation cannot be changed yet",
    },
}


def meaning(logs: Sequence[str]) -> str:
    """Returns why a transaction failed, by the innermost program that refused; "" where its number is not known."""
    for line in logs:
        if found := _FAILED.fullmatch(line):
            return _MEANS.get(found[1], {}).get(int(found[2], 16), "")
    return ""
