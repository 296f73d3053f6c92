"""The market room's settings."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from mercato.core.settings import Secret, Section


class MarketSettings(Section):
    """`memory` bounds the analytics engine, as in 700MB; `threads` 0 means one per core.

    `alert_rules` is a TOML file over the shipped rules, and `report_key` an OpenSSH private key that signs report
    folders, both relative to the data folder. Alerts are posted to `webhook`, signed with `webhook_secret`; addresses
    in private networks are refused unless `webhook_private` allows them, because whoever may set an address could
    otherwise reach inside. `seeds` are the accounts, as source:account, from which trust starts in mindshare; none
    ship, because choosing them is power that belongs to whoever runs this.
    """

    name: ClassVar[str] = "market"
    memory: str = "700MB"
    threads: int = 0
    seeds: tuple[str, ...] = ()
    alert_rules: str = "alerts.toml"
    report_key: str = ""
    webhook: str = ""
    webhook_secret: Secret = Secret("")
    webhook_private: bool = False
    webhook_seconds: float = Field(10.0, gt=0, le=60)

    @field_validator("seeds")
    @classmethod
    def _named(cls, seeds: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the seeds, sorted; each must name its source, and no comma, which separates them in a query."""
        for seed in seeds:
            source, _, account = seed.partition(":")
            if not (source.strip() and account.strip()) or "," in seed:
                raise ValueError(f"{seed!r} is no seed; write source:account, such as bluesky:someone.example")
        return tuple(sorted(set(seeds)))
