"""Which rules are in force, and where their alerts go: the settings of the room, read for the watch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mercato.market.alerts.model import Rule
from mercato.market.alerts.rules import load

if TYPE_CHECKING:
    from mercato.market.alerts.webhook import Webhook
    from mercato.market.service import Market


def rules_of(market: Market) -> tuple[tuple[Rule, ...], Path]:
    """Returns the rules in force and the file in which a deployer changes them."""
    path = market.home / market.settings.alert_rules
    return load(path), path


def webhook_of(market: Market) -> Webhook | None:
    """Returns where alerts are posted, None where no address is set; ConfigError where it cannot be right."""
    from mercato.market.alerts.webhook import Webhook

    wanted = market.settings
    if not wanted.webhook:
        return None
    return Webhook(wanted.webhook, wanted.webhook_secret, wanted.webhook_private, wanted.webhook_seconds)
