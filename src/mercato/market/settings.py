"""The market room's settings."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mercato.core.settings import Secret, Section


class MarketSettings(Section):
    """`memory` bounds the analytics engine, as in 700MB; `threads` 0 means one per core.

    `alert_rules` is a TOML file over the shipped rules, and `report_key` an OpenSSH private key that signs report
    folders, both relative to the data folder. Alerts are posted to `webhook`, signed with `webhook_secret`; addresses
    in private networks are refused unless `webhook_private` allows them, because whoever may set an address could
    otherwise reach inside.
    """

    name: ClassVar[str] = "market"
    memory: str = "700MB"
    threads: int = 0
    alert_rules: str = "alerts.toml"
    report_key: str = ""
    webhook: str = ""
    webhook_secret: Secret = Secret("")
    webhook_private: bool = False
    webhook_seconds: float = Field(10.0, gt=0, le=60)
