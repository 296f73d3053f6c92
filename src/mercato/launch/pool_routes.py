"""The pool in the JSON API: its state with its newest trades, what a trade would give, and trades for wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from mercato.launch import shapes
from mercato.launch.trading import LONGEST, PATIENCE, SHORTEST

if TYPE_CHECKING:
    from mercato.launch.service import Launches

Id = Annotated[str, Path(description="A launch: `lch_` and 26 letters", pattern=r"^lch_[0-9a-z]{26}$")]
Side = Literal["buy", "sell"]
DIGITS = r"^[0-9]{1,33}$"


class Trade(BaseModel):
    """A trade to prepare: `amount` in base units of what is given, quote for a purchase and tokens for a sale."""

    model_config = ConfigDict(extra="forbid")

    trader: str = Field(description="An account: 0x and 40 digits", pattern=r"^0x[0-9a-fA-F]{40}$")
    side: Side
    amount: str = Field(pattern=DIGITS)
    slippage_bps: int = Field(100, ge=0, lt=10_000, description="How much less than now it may give")
    least: str = Field("0", description="The least it gives in any case, as a quote said before", pattern=DIGITS)
    patience: int = Field(PATIENCE, ge=SHORTEST, le=LONGEST, description="Seconds of chain time until it is void")


def attach(routes: APIRouter, room: Launches) -> None:
    """Adds the pool's routes."""

    @routes.get("/launches/{id}/market", summary="The pool and the token of a live launch, with the newest trades")
    def market(id: Id, trades: Annotated[int, Query(ge=1, le=1000)] = 50) -> dict[str, Any]:
        return shapes.market(room.market(id), trades)

    @routes.get("/launches/{id}/quote", summary="What a trade in the pool would give now")
    def quote(
        id: Id,
        side: Side,
        amount: Annotated[str, Query(pattern=DIGITS)],
        slippage_bps: Annotated[
            int, Query(ge=0, lt=10_000, description="How far `least` is below what is received")
        ] = 100,
    ) -> dict[str, Any]:
        return shapes.quoted(room.quote(id, buys=side == "buy", amount=int(amount)), slippage_bps)

    @routes.post("/launches/{id}/transactions/trade", summary="A trade in the pool as unsigned transactions")
    def trade(id: Id, body: Trade) -> list[dict[str, Any]]:
        made = room.prepare_trade(
            id, body.trader, buys=body.side == "buy", amount=int(body.amount), slippage_bps=body.slippage_bps,
            floor=int(body.least), patience=body.patience,
        )  # fmt: skip
        return [shapes.request(item) for item in made]
