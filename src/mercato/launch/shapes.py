"""Values of this room as JSON: the API and `--json` speak the same. Amounts are text, so that no reader rounds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mercato.chains import Receipt
from mercato.launch.auctions import sale
from mercato.launch.authorization import Authorization
from mercato.launch.deployment import Deployment, Planned
from mercato.launch.market import Market, Swap
from mercato.launch.model import Change, Check, Demand, Launch, Phase, Position, Preview, Request, Review
from mercato.launch.scorecard import Verdict
from mercato.launch.trading import Quoted, least
from mercato.launch.views.market import DEPTHS, down, up


def summary(launch: Launch) -> dict[str, Any]:
    """Returns what a list shows of a launch."""
    held = launch.contracts
    return {
        "id": launch.id,
        "state": launch.state.value,
        "name": launch.application.name,
        "symbol": launch.application.symbol,
        "simulated": launch.simulated,
        "created_at": launch.created_at.isoformat(),
        "changed_at": launch.changed_at.isoformat(),
        "opens": held.opens if held else None,
        "locks": held.locks if held else None,
        "ends": held.ends if held else None,
    }


def launch(item: Launch) -> dict[str, Any]:
    """Returns a launch whole: its application, its place on the chain, and how it came out."""
    outcome = item.outcome
    return {
        **summary(item),
        "reason": item.reason,
        "hash": item.application.hash,
        "application": item.application.body(),
        "floor": str(item.floor_valuation),
        "sale": str(sale(item)),
        "contracts": asdict(item.contracts) if item.contracts else None,
        "outcome": texts(asdict(outcome)) if outcome else None,
    }


def change(item: Change) -> dict[str, Any]:
    """Returns a step that a launch took."""
    return {
        "step": item.step.value,
        "before": item.before.value,
        "after": item.after.value,
        "at": item.at.isoformat(),
        "block": item.block,
    }


def check(item: Check) -> dict[str, Any]:
    """Returns the result of a check."""
    return asdict(item)


def review(item: Review) -> dict[str, Any]:
    """Returns a round of review. Cards are shown once the whole round is decided, so that none sways a later one."""
    decided = item.phase is Phase.DECIDED
    seats = [
        {
            "reviewer": seat.reviewer,
            "sealed": bool(seat.commitment),
            "opened": seat.card is not None,
            "card": seat.card.body() if decided and seat.card else None,
        }
        for seat in item.seats
    ]
    return {
        "round": item.round,
        "phase": item.phase.value,
        "commit_by": item.commit_by.isoformat(),
        "reveal_by": item.reveal_by.isoformat(),
        "seats": seats,
        "verdict": verdict(item.verdict) if item.verdict else None,
    }


def verdict(item: Verdict) -> dict[str, Any]:
    """Returns what a panel decided; `total` in tenths of a point."""
    return {**asdict(item), "floor_low": str(item.floor_low), "floor_high": str(item.floor_high)}


def demand(item: Demand, *, all_levels: bool = False) -> dict[str, Any]:
    """Returns the book of an auction; levels without demand are left out unless all are wanted."""
    shown = [level for level in item.levels if level.demand or all_levels]
    return {
        "levels": [
            {"level": level.number, "price_q96": str(level.price), "demand": str(level.demand)} for level in shown
        ],
        **texts({name: getattr(item, name) for name in ("retail", "total", "firm", "cancellable", "raised", "sold")}),
        "clears": item.clears,
        "level": item.level,
        "price_q96": str(item.price),
        "block": item.block,
        "time": item.time,
    }


def preview(item: Preview) -> dict[str, Any]:
    """Returns what a further bid would get."""
    named = {name: getattr(item, name) for name in ("amount", "tokens", "charge", "refund")}
    return {"level": item.level, **texts(named), "price_q96": str(item.price), "clears": item.clears}


def position(item: Position) -> dict[str, Any]:
    """Returns what a bidder holds at a level."""
    named = {name: getattr(item, name) for name in ("amount", "tokens", "charge", "refund")}
    return {"level": item.level, **texts(named), "final": item.final, "claimed": item.claimed}


def request(item: Request) -> dict[str, Any]:
    """Returns a transaction for a wallet, its fields named as in JSON-RPC, and in words."""
    return {
        "title": item.title,
        "transaction": {
            "from": item.call.sender,
            "to": item.call.to,
            "data": "0x" + item.call.data.hex(),
            "value": hex(item.call.value),
        },
        "function": item.function,
        "arguments": dict(item.arguments),
        "refusal": item.refusal,
    }


def authorization(item: Authorization) -> dict[str, Any]:
    """Returns what a bidder signs, and what is brought with the signature."""
    return {
        "typed": item.typed,
        "bidder": item.bidder,
        "level": item.level,
        "amount": str(item.amount),
        "salt": "0x" + item.salt.hex(),
        "valid_before": item.valid_before,
    }


def market(item: Market, trades: int) -> dict[str, Any]:
    """Returns a pool and its token as of a block, with the newest trades first.

    `depth` says what moves the price by so many percent, the fee aside: quote that buys, tokens that are sold.
    """
    reserves = {"token": item.now.token, "quote": item.now.quote}
    return {
        "pool": item.pool,
        "reserves": texts(reserves),
        "price_q96": str(item.now.price),
        "depth": [
            {"percent": part, "up": str(up(item.now, part)), "down": str(down(item.now, part))} for part in DEPTHS
        ],
        "fee_ppm": item.now.fee_ppm(item.time),
        "opened_at": item.now.opened,
        "liquidity": {"locker": item.locker, "code": item.behind, "as_built": item.ours},
        "owed": {"creator": str(item.owed[0]), "treasury": str(item.owed[1])},
        "supply": str(item.supply),
        "burnt": str(item.burnt),
        "holders": len(item.holders),
        "largest": [{"account": account, "amount": str(amount)} for account, amount in item.holders[:10]],
        "trades": [swap(one) for one in reversed(item.swaps[-trades:])],
        "block": item.block,
        "time": item.time,
    }


def swap(item: Swap) -> dict[str, Any]:
    """Returns a trade with the block and transaction that prove it."""
    named = {name: getattr(item, name) for name in ("given", "received", "fee")}
    where = {"trader": item.trader, "block": item.block, "time": item.time, "transaction": item.transaction}
    return {"side": "buy" if item.buys else "sell", **texts(named), **where}


def quoted(item: Quoted, slippage_bps: int = 100) -> dict[str, Any]:
    """Returns what a trade would give now, and the least that it may give within a slippage in basis points."""
    named = {name: getattr(item, name) for name in ("given", "received", "fee")}
    named["least"] = least(item, slippage_bps)
    parts = {"fee_ppm": item.fee_ppm, "impact_ppm": item.impact_ppm, "block": item.block}
    return {
        "side": "buy" if item.buys else "sell",
        **texts(named),
        "price_q96": str(item.price),
        "after_q96": str(item.after),
        **parts,
    }


def receipt(item: Receipt | None) -> dict[str, Any] | None:
    """Returns what became of a transaction."""
    if item is None:
        return None
    return {
        "transaction": item.transaction,
        "block": item.block,
        "succeeded": item.succeeded,
        "reason": item.reason,
        "gas_used": item.gas_used,
    }


def deployment(item: Deployment) -> dict[str, Any]:
    """Returns where everything stands."""
    return {**asdict(item), "deposit_amount": str(item.deposit_amount)}


def planned(items: Sequence[Planned]) -> list[dict[str, Any]]:
    """Returns what a deployment would send."""
    return [asdict(item) for item in items]


def texts(values: dict[str, int]) -> dict[str, str]:
    """Returns amounts as text."""
    return {name: str(value) for name, value in values.items()}
