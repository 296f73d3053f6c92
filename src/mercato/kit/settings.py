"""The kit's settings."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from mercato.core.settings import Operators, Secret, Section

_ACCOUNT = re.compile(r"0x[0-9a-fA-F]{40}")
_KEY = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")


class KitSettings(Section):
    """`book` is the journal that commands write into, `chain` the kind of chain that they act on: which one of its kind
    say the settings of the chains room. The wallet is `keystore`, a file relative to the data folder that opens with
    `password`, or `key`, 64 hexadecimal digits, on Solana 32 or 64 bytes in base 58; without either, `account` is
    watched and nothing is signed.

    `operators` are the people who may look at the books in a browser and approve there, by the name that policies give
    them: each with the account that they sign in with. Nobody may where it is empty.

    `token` is what agents show that call the tools over HTTP. `tip_wei` is what is offered to the block's maker for
    each gas, on chains that have a base fee; `unit_price` are the micro-lamports for each unit of computing on Solana.
    Jupiter is asked for trades there at `jupiter_url`, with `jupiter_key` where it is set.
    """

    name: ClassVar[str] = "kit"
    book: str = Field("agent", min_length=1, max_length=60)
    chain: Literal["evm", "solana"] = "evm"
    keystore: str = ""
    password: Secret = Secret("")
    key: Secret = Secret("")
    account: str = ""
    operators: Operators = Field(default_factory=dict)
    token: Secret = Secret("")
    tip_wei: int = Field(10**9, ge=0)
    unit_price: int = Field(0, ge=0, lt=2**64)
    jupiter_url: str = "https://api.jup.ag/swap/v2"
    jupiter_key: Secret = Secret("")

    @field_validator("account")
    @classmethod
    def _is_one(cls, value: str) -> str:
        if value and not _ACCOUNT.fullmatch(value) and not _KEY.fullmatch(value):
            raise ValueError("expected 0x and 40 hexadecimal digits, or on Solana 32 bytes in base 58")
        return value.lower() if value.startswith("0x") else value
