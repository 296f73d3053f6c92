"""The launch room's JSON API: everything that a page shows, and every verb that an account may take.

What moves money is never done here: the answer is the unsigned transaction for the account's own wallet. What changes
the room's own state needs the account's signature of a plain statement, which `/statement` gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from mercato.launch import authority, pool_routes, shapes
from mercato.launch.application import Application
from mercato.launch.authority import Statement
from mercato.launch.clearing import RETAIL
from mercato.launch.scorecard import CRITERIA, PASS_TENTHS, VETO, Scorecard
from mercato.launch.states import TRANSITIONS, State

if TYPE_CHECKING:
    from mercato.launch.service import Launches

Id = Annotated[str, Path(description="A launch: `lch_` and 26 letters", pattern=r"^lch_[0-9a-z]{26}$")]
Account = Annotated[str, Field(description="An account: 0x and 40 digits", pattern=r"^0x[0-9a-fA-F]{40}$")]
Units = Annotated[str, Field(description="Whole base units of the quote token, as text", pattern=r"^[0-9]{1,78}$")]
Number = Annotated[int, Field(description=f"A price level, or {RETAIL} for retail", ge=0, le=RETAIL)]
Signature = Annotated[str, Field(description="The statement signed (EIP-191), in hex", pattern=r"^0x[0-9a-fA-F]*$",
                                 max_length=4096)]  # fmt: skip


class Body(BaseModel):
    """What a request may hold: nothing that is not named."""

    model_config = ConfigDict(extra="forbid")


class Signed(Body):
    """The statement's signature by the account concerned, and when the statement becomes void, as `/statement` said."""

    signature: Signature
    expires: int = Field(description="Unix seconds", gt=0, lt=2**33)


class Applied(Signed):
    """An application, signed by its applicant: `apply` about the application's hash."""

    application: dict[str, Any]


class Scheduled(Signed):
    """When bidding opens, in seconds of chain time; signed by the curator with that second as the detail."""

    opens: int = Field(gt=0)


class Sealed(Signed):
    """A reviewer's seal; the statement's detail is `<round> <commitment>`."""

    reviewer: Account
    round: int = Field(ge=1, le=3)
    commitment: str = Field(pattern=r"^[0-9a-f]{64}$")


class Opened(Signed):
    """A reviewer's card and salt; the statement's detail is `<round> <commitment>`, the seal that they open."""

    reviewer: Account
    round: int = Field(ge=1, le=3)
    commitment: str = Field(pattern=r"^[0-9a-f]{64}$")
    card: dict[str, Any]
    salt: str = Field(pattern=r"^[0-9a-f]{64}$")


class Bid(Body):
    """A bid to prepare; retail bids carry the gate's credential in hex."""

    bidder: Account
    level: Number
    amount: Units
    credential: str = Field("0x", pattern=r"^0x([0-9a-fA-F]{2}){0,1025}$")


class Faucet(Body):
    """Test dollars to take."""

    account: Account
    amount: Units


class Authorized(Body):
    """A bid to sign, so that somebody else can bring it."""

    bidder: Account
    level: Number
    amount: Units


class Brought(Authorized):
    """A signed bid and who brings it: what `authorization` gave, and the wallet's signature of its `typed`."""

    sender: Account
    salt: str = Field(pattern=r"^0x[0-9a-fA-F]{64}$")
    valid_before: int = Field(gt=0, lt=2**64)
    signature: str = Field(pattern=r"^0x[0-9a-fA-F]{130}$")


class Improved(Body):
    """A move of money to a higher level to prepare."""

    bidder: Account
    from_level: Number
    to_level: Number
    amount: Units


class Cancelled(Body):
    """Money to take back from a level."""

    bidder: Account
    level: Number
    amount: Units


class Claimed(Body):
    """A bid to pay out."""

    bidder: Account
    level: Number


def router(room: Launches) -> APIRouter:
    """Returns the routes of the API, to be mounted under `/api/launch`."""
    routes = APIRouter()
    _rules(routes, room)
    _launches(routes, room)
    _auctions(routes, room)
    _applicants(routes, room)
    _reviewers(routes, room)
    _curator(routes, room)
    _transactions(routes, room)
    pool_routes.attach(routes, room)
    return routes


def _rules(routes: APIRouter, room: Launches) -> None:
    @routes.get("/rules", summary="The table of states, the review's criteria and when a panel passes")
    def rules() -> dict[str, Any]:
        table = [{"state": a.value, "step": step.value, "to": b.value} for (a, step), b in TRANSITIONS.items()]
        return {"transitions": table, "criteria": dict(CRITERIA), "pass_tenths": PASS_TENTHS, "veto_below": VETO}

    @routes.get("/deployment", summary="Where the contracts stand")
    def deployment() -> dict[str, Any]:
        return shapes.deployment(room.deployment)

    @routes.get("/statement", summary="The text that an account signs for an action")
    def statement(
        action: Annotated[str, Query(max_length=20)],
        about: Annotated[str, Query(max_length=70, description="A launch's id, or an application's hash")],
        detail: Annotated[str, Query(max_length=80)] = "",
    ) -> dict[str, Any]:
        wanted = Statement(action, about, authority.expiry(room), detail)
        return {"statement": wanted.text(room), "expires": wanted.expires}


def _launches(routes: APIRouter, room: Launches) -> None:
    @routes.get("/launches", summary="The launches, newest first")
    def launches(
        state: Annotated[list[State] | None, Query(description="May be given again")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[dict[str, Any]]:
        return [shapes.summary(item) for item in room.launches(state or (), limit)]

    @routes.get("/launches/{id}", summary="A launch: its application, its contracts, its outcome")
    def launch(id: Id) -> dict[str, Any]:
        return shapes.launch(room.launch(id))

    @routes.get("/launches/{id}/history", summary="The steps that a launch took")
    def history(id: Id) -> list[dict[str, Any]]:
        return [shapes.change(item) for item in room.history(id)]

    @routes.get("/launches/{id}/checks", summary="The automatic checks with their reasons")
    def checks(id: Id) -> list[dict[str, Any]]:
        return [shapes.check(item) for item in room.checks(room.launch(id).id)]

    @routes.get("/launches/{id}/reviews", summary="The rounds of review")
    def reviews(id: Id) -> list[dict[str, Any]]:
        return [shapes.review(item) for item in room.reviews(room.launch(id).id)]


def _auctions(routes: APIRouter, room: Launches) -> None:
    @routes.get("/launches/{id}/demand", summary="The book of an auction, and what clearing now would give")
    def demand(
        id: Id, all_levels: Annotated[bool, Query(description="Levels without demand too")] = False
    ) -> dict[str, Any]:
        return shapes.demand(room.demand(id), all_levels=all_levels)

    @routes.get("/launches/{id}/preview", summary="What a further bid would get")
    def preview(
        id: Id,
        level: Annotated[int, Query(ge=0, le=RETAIL)],
        amount: Annotated[str, Query(pattern=r"^[0-9]{1,33}$")],
    ) -> dict[str, Any]:
        return shapes.preview(room.preview(id, level, int(amount)))

    @routes.get("/launches/{id}/positions/{account}", summary="What a bidder holds")
    def positions(id: Id, account: Annotated[str, Path(pattern=r"^0x[0-9a-fA-F]{40}$")]) -> list[dict[str, Any]]:
        return [shapes.position(item) for item in room.positions(id, account)]


def _applicants(routes: APIRouter, room: Launches) -> None:
    def applicant(id: str, action: str, body: Signed) -> None:
        account = room.launch(id).application.applicant
        authority.require(room, account, Statement(action, id, body.expires), body.signature)

    @routes.post("/launches", status_code=201, summary="Hand an application in")
    def apply(body: Applied) -> dict[str, Any]:
        application = Application.of(body.application)
        made = Statement("apply", application.hash, body.expires)
        authority.require(room, application.applicant, made, body.signature)
        return shapes.launch(room.apply(application))

    @routes.post("/launches/{id}/check", summary="Run the automatic checks again")
    def check(id: Id) -> list[dict[str, Any]]:
        return [shapes.check(item) for item in room.check(id)]

    @routes.post("/launches/{id}/submit", summary="Send a draft to its panel; signed by the applicant")
    def submit(id: Id, body: Signed) -> dict[str, Any]:
        applicant(id, "submit", body)
        return shapes.launch(room.submit(id))

    @routes.post("/launches/{id}/appeal", summary="Appeal a decision; signed by the applicant")
    def appeal(id: Id, body: Signed) -> dict[str, Any]:
        applicant(id, "appeal", body)
        return shapes.launch(room.appeal(id))


def _reviewers(routes: APIRouter, room: Launches) -> None:
    def reviewer(id: str, action: str, body: Sealed | Opened) -> None:
        made = Statement(action, id, body.expires, f"{body.round} {body.commitment}")
        authority.require(room, body.reviewer, made, body.signature)

    @routes.post("/launches/{id}/seals", summary="Seal a scorecard; signed by the reviewer")
    def commit(id: Id, body: Sealed) -> dict[str, Any]:
        reviewer(id, "commit", body)
        return shapes.review(room.commit(id, body.reviewer, body.commitment))

    @routes.post("/launches/{id}/cards", summary="Open a sealed scorecard; signed by the reviewer")
    def reveal(id: Id, body: Opened) -> dict[str, Any]:
        reviewer(id, "reveal", body)
        return shapes.review(room.reveal(id, body.reviewer, Scorecard.of(body.card), body.salt))


def _curator(routes: APIRouter, room: Launches) -> None:
    def curator(id: str, action: str, body: Signed, detail: str = "") -> None:
        made = Statement(action, id, body.expires, detail)
        authority.require(room, room.deployment.curator, made, body.signature)

    @routes.post("/launches/{id}/schedule", summary="Put an approved launch on the chain; signed by the curator")
    def schedule(id: Id, body: Scheduled) -> dict[str, Any]:
        curator(id, "schedule", body, str(body.opens))
        return shapes.launch(room.schedule(id, body.opens))

    @routes.post("/launches/{id}/abort", summary="Call a scheduled launch off; signed by the curator")
    def abort(id: Id, body: Signed) -> dict[str, Any]:
        curator(id, "abort", body)
        return shapes.launch(room.abort(id))

    @routes.post("/launches/{id}/refund", summary="Give a deposit back; signed by the curator")
    def refund(id: Id, body: Signed) -> dict[str, Any] | None:
        curator(id, "refund", body)
        return shapes.receipt(room.settle_deposit(id))

    @routes.post("/launches/{id}/forfeit", summary="Forfeit the deposit of a declined launch; signed by the curator")
    def forfeit(id: Id, body: Signed) -> dict[str, Any] | None:
        curator(id, "forfeit", body)
        return shapes.receipt(room.settle_deposit(id, forfeit=True))


def _transactions(routes: APIRouter, room: Launches) -> None:
    @routes.post("/launches/{id}/transactions/bid", summary="A bid as unsigned transactions")
    def bid(id: Id, body: Bid) -> list[dict[str, Any]]:
        credential = bytes.fromhex(body.credential[2:])
        made = room.prepare_bid(id, body.bidder, body.level, int(body.amount), credential)
        return [shapes.request(item) for item in made]

    @routes.post("/transactions/faucet", summary="Test dollars for an account, as an unsigned transaction")
    def faucet(body: Faucet) -> list[dict[str, Any]]:
        return [shapes.request(item) for item in room.prepare_faucet(body.account, int(body.amount))]

    @routes.post("/launches/{id}/authorization", summary="A bid as typed data to sign (EIP-712), for others to bring")
    def authorization(id: Id, body: Authorized) -> dict[str, Any]:
        return shapes.authorization(room.prepare_authorization(id, body.bidder, body.level, int(body.amount)))

    @routes.post("/launches/{id}/transactions/signed-bid", summary="A signed bid as a transaction of who brings it")
    def signed_bid(id: Id, body: Brought) -> list[dict[str, Any]]:
        made = room.prepare_signed_bid(
            id, body.sender, body.bidder, body.level, int(body.amount), salt=bytes.fromhex(body.salt[2:]),
            valid_before=body.valid_before, signature=bytes.fromhex(body.signature[2:]),
        )  # fmt: skip
        return [shapes.request(item) for item in made]

    @routes.post("/launches/{id}/transactions/improve", summary="A move to a higher level as unsigned transactions")
    def improve(id: Id, body: Improved) -> list[dict[str, Any]]:
        made = room.prepare_improve(id, body.bidder, body.from_level, body.to_level, int(body.amount))
        return [shapes.request(item) for item in made]

    @routes.post("/launches/{id}/transactions/cancel", summary="A withdrawal as unsigned transactions")
    def cancel(id: Id, body: Cancelled) -> list[dict[str, Any]]:
        made = room.prepare_cancel(id, body.bidder, body.level, int(body.amount))
        return [shapes.request(item) for item in made]

    @routes.post("/launches/{id}/transactions/claim", summary="A payout as unsigned transactions")
    def claim(id: Id, body: Claimed) -> list[dict[str, Any]]:
        return [shapes.request(item) for item in room.prepare_claim(id, body.bidder, body.level)]

    @routes.post("/launches/{id}/transactions/deposit", summary="The applicant's deposit as unsigned transactions")
    def deposit(id: Id) -> list[dict[str, Any]]:
        return [shapes.request(item) for item in room.deposit(id)]
