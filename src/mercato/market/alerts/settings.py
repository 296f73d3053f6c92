"""Where alerts go, and which rules raise them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mercato.core.settings import Secret, Section


class AlertSettings(Section):
    """`rules` is a TOML file over the defaults, relative to the data folder.

    `webhook` is the address that alerts are posted to, signed with `webhook_secret`. Addresses in private networks are
    refused unless `webhook_private` allows them, because whoever may set an address could otherwise reach inside.
    """

    name: ClassVar[str] = "alerts"
    rules: str = "alerts.toml"
    webhook: str = ""
    webhook_secret: Secret = Secret("")
    webhook_private: bool = False
    webhook_seconds: float = Field(10.0, gt=0, le=60)
