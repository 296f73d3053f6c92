"""Settings of the sources: `[sources]` in mercato.toml, or MERCATO_SOURCES_* in the environment."""

from __future__ import annotations

from typing import ClassVar, Literal

from mercato.core.settings import Secret, Section


class SourceSettings(Section):
    """Addresses, limits and keys of the sources. An empty address of `equities_url` turns that source off.

    Keys are secrets: they are sent as headers and appear nowhere else. `contact` is an e-mail address that polite
    clients put into their User-Agent; SEC refuses requests without one. With `automatic` a running server fetches what
    is due by itself; without it nothing is asked of the outside but by `mercato market fetch`.
    """

    name: ClassVar[str] = "sources"

    automatic: bool = False
    contact: str = ""

    coingecko_url: str = "https://api.coingecko.com/api/v3"
    coingecko_plan: Literal["public", "demo", "pro"] = "public"
    coingecko_key: Secret = Secret("")
    coingecko_per_minute: float = 25.0
    coingecko_monthly_calls: int = 10_000

    defillama_coins_url: str = "https://coins.llama.fi"
    defillama_stablecoins_url: str = "https://stablecoins.llama.fi"
    defillama_url: str = "https://api.llama.fi"
    defillama_per_minute: float = 60.0
    defillama_min_confidence: float = 0.9

    geckoterminal_url: str = "https://api.geckoterminal.com/api/v2"
    geckoterminal_per_minute: float = 25.0

    dexscreener_url: str = "https://api.dexscreener.com"
    dexscreener_per_minute: float = 200.0

    equities_url: str = ""
    equities_folder: str = ""
    equities_licence: str = ""
    equities_per_minute: float = 10.0
    equities_monthly_calls: int = 3_000

    sec_data_url: str = "https://data.sec.gov"
    sec_files_url: str = "https://www.sec.gov"
    sec_per_minute: float = 120.0

    @property
    def user_agent(self) -> str:
        """Returns how we introduce ourselves to sources."""
        return f"mercato ({self.contact})" if self.contact else "mercato"
