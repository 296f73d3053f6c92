"""How the lab speaks: names of mechanisms, adversaries and metrics, and a metric's unit and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MECHANISMS = {
    "lca": "LCA (ours)",
    "lca-no-retail": "LCA, no retail tranche",
    "lca-elastic": "LCA, elastic supply",
    "lca-no-soft-close": "LCA, no soft close",
    "lca-half-retail": "LCA, half for retail",
    "lca-equal-share": "LCA, equal shares for retail",
    "lca-wide-sale": "LCA, 60 % sold",
    "lca-whole-supply": "LCA, 70 % sold",
    "lca-discount": "LCA, cheaper for identities",
    "lca-wide-discount": "LCA, 60 % sold, cheaper for identities",
    "lca-whole-discount": "LCA, 70 % sold, cheaper for identities",
    "cca-linear": "CCA, linear",
    "cca-backloaded": "CCA, back-loaded",
    "easyauction": "EasyAuction-like",
    "doppler": "Doppler-like",
    "lbp": "Balancer-like LBP",
    "pump": "Pump-like curve",
    "virtuals-60s": "Virtuals, 60 s tax",
    "virtuals-98m": "Virtuals, 98 min tax",
    "clanker-decay": "Clanker, decaying fee",
    "clanker-priority": "Clanker, priority",
    "meteora": "Meteora-like",
}
ADVERSARIES = {
    "none": "nobody",
    "placebo": "placebo bot",
    "latency-sniper": "latency sniper",
    "insider-bundler": "insider bundler",
    "tax-edge-sniper": "tax-edge sniper",
    "last-look-whale": "last-look whale",
    "demand-reducing-whale": "demand-reducing whale",
    "pool-open-sniper": "pool-open sniper",
    "seller-shill": "seller shill",
    "sybil": "sybil with identity cost",
    "wash-trader": "wash trader",
    "jit-lp": "just-in-time liquidity",
    "griefer": "griefer",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as people read it: its name, its unit, and what is better: less of it, more, none, or none above 0."""

    label: str
    unit: str
    better: Literal["less", "more", "none", "no gain"]

    def badness(self, value: float) -> float:
        """Returns how bad a value is: the less, the better."""
        return {"less": value, "more": -value, "none": abs(value), "no gain": max(value, 0.0)}[self.better]


METRICS = {
    "extraction_of_retail": Metric("Taken by the best attack, of what people paid", "ratio", "no gain"),
    "rent_of_retail": Metric("Block builders' rent, of what people paid", "ratio", "less"),
    "gini": Metric("Inequality of entry prices (Gini)", "", "less"),
    "p90_p10": Metric("Entry price, 90th over 10th percentile", "multiple", "less"),
    "theil": Metric("Inequality of entry prices (Theil)", "", "less"),
    "top10_share": Metric("Held by the ten largest", "ratio", "less"),
    "fill_rate": Metric("People who got tokens", "ratio", "more"),
    "buyers_filled": Metric("Buyers filled", "count", "more"),
    "half_filled": Metric("People who placed half of their money", "ratio", "more"),
    "retail_return": Metric("People's result at the common value", "ratio", "more"),
    "impact_1h": Metric("Extra cost of buying 1 % of the raise, an hour later", "ratio", "less"),
    "depth_2pct": Metric("Depth at ±2 %, an hour later", "usd", "more"),
    "latency_value": Metric("Tokens gained by being first", "ratio", "none"),
    "sybil_gain": Metric("Profit gained by many accounts, of the raise", "ratio", "no gain"),
    "cost_to_grief": Metric("A griefer's cost for a dollar of harm", "usd", "more"),
    "discovery_error": Metric("Price at the close against the next day's", "", "less"),
    "value_error": Metric("Price after a day against the common value", "", "less"),
    "take_rate": Metric("Fees, of the volume", "ratio", "less"),
    "transactions_each": Metric("Transactions a participant", "", "less"),
    "gas_each": Metric("Gas a participant", "count", "less"),
    "refund_hours": Metric("Hours that refunded money lay in bids", "", "less"),
    "refund_error_wei": Metric("Wei lost in refunds", "count", "less"),
    "failed": Metric("Launches that failed", "ratio", "less"),
}


def mechanism(name: str) -> str:
    """Returns what a mechanism is called; its own name where it has no other."""
    return MECHANISMS.get(name, name)


def adversary(name: str | None) -> str:
    """Returns what an adversary is called; "none found" for None."""
    return "none found" if name is None else ADVERSARIES.get(name, name.replace("-", " "))
