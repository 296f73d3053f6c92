"""Settings of the document sources: `[documents]` in mercato.toml, or MERCATO_DOCUMENTS_* in the environment."""

from __future__ import annotations

from typing import ClassVar

from mercato.core.settings import Secret, Section
from mercato.market.connectors.documents.jetstream import ENDPOINT as JETSTREAM
from mercato.market.connectors.documents.xsearch import ENDPOINT as X
from mercato.market.connectors.documents.xsearch import PRICE_MICRO_USD


class DocumentSettings(Section):
    """Where documents come from. X is off until `x_key` and `x_monthly_micro_usd` are set; reads there cost money."""

    name: ClassVar[str] = "documents"

    feeds: tuple[str, ...] = ()
    jetstream_url: str = JETSTREAM

    x_key: Secret = Secret("")
    x_url: str = X
    x_monthly_micro_usd: int = 0
    x_price_micro_usd: int = PRICE_MICRO_USD
