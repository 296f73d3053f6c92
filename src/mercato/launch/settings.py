"""The launch room's settings."""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import Field, field_validator

from mercato.core.settings import Secret, Section

_ACCOUNT = re.compile(r"0x[0-9a-f]{40}")


class LaunchSettings(Section):
    """`reviewers` are the accounts of those who may sit on panels. `deposit` (quote base units) is asked of applicants.

    `curator_key` signs what the curator does (schedule, refunds of deposits), `keeper_key` the keeper's transactions,
    `attester_key` credentials of retail bidders: private keys in hexadecimal, none needed on the embedded chain.
    `reserved` are symbols that no launch may take. `deployments` is the folder of deployment records, relative to the
    data folder.
    """

    name: ClassVar[str] = "launch"
    reviewers: tuple[str, ...] = ()
    commit_hours: int = Field(48, ge=1, le=24 * 30)
    reveal_hours: int = Field(24, ge=1, le=24 * 30)
    deposit: int = Field(250_000_000, ge=0)
    curator_key: Secret = Secret("")
    keeper_key: Secret = Secret("")
    attester_key: Secret = Secret("")
    reserved: tuple[str, ...] = ("BTC", "ETH", "WETH", "WBTC", "SOL", "USDC", "USDT", "DAI", "EURC", "TUSD", "BNB")
    deployments: str = "deployments"

    @field_validator("reviewers")
    @classmethod
    def _accounts(cls, reviewers: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the reviewers in lower case, sorted, each once."""
        for text in reviewers:
            if not _ACCOUNT.fullmatch(text.lower()):
                raise ValueError(f"{text!r} is no account; write 0x and 40 hexadecimal digits")
        return tuple(sorted({text.lower() for text in reviewers}))
