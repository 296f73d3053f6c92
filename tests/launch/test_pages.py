"""The launch's pages over real HTTP, on an embedded chain."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.core import TyperGroup

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app
from mercato.chains import Call, typed
from mercato.chains.signing import Key
from mercato.chains.testing import KEYS
from mercato.core.clock import HandClock
from mercato.core.settings import load
from mercato.launch import commands as launch_commands
from mercato.launch.model import RETAIL
from mercato.launch.pages import live
from mercato.launch.scorecard import seal
from mercato.launch.states import State
from mercato.launch.testing import House, card
from mercato.launch.views.desk import written
from mercato.launch.words import dollars, price, tokens
from mercato.store.testing import sqlite_store
from mercato.web import Site
from tests.launch.town import AGENTS, BIDDER, DOLLAR, REVIEWERS, TEAM, Town, sign_in

HTML = {"accept": "text/html"}
JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
def address(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    room = town.house.room
    settings = load(*SECTIONS, home=tmp_path_factory.mktemp("home"))
    with serve(create_app(settings, room.store, [Room("launch", room)], worker=False)) as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60, headers=HTML) as made:
        yield made


def text(answer: httpx.Response) -> str:
    """The page as its reader sees it, near enough: entities read."""
    return unescape(answer.text)


@pytest.mark.parametrize("state", AGENTS)
def test_every_launch_has_a_page_and_a_place_on_the_desk(client: httpx.Client, town: Town, state: str) -> None:
    pages = [client.get(f"{path}/{town.launches[state]}") for path in ("/launch", "/launch/desk")]

    assert [answer.status_code for answer in pages] == [200, 200]
    assert all(f"<h1>{AGENTS[state][0]} · {AGENTS[state][1]}</h1>" in text(answer) for answer in pages)


def test_the_list_groups_launches_and_leaves_out_what_nobody_may_join_yet(client: httpx.Client, town: Town) -> None:
    page = text(client.get("/launch"))
    places = [page.index(AGENTS[state][0]) for state in ("open", "scheduled", "live", "failed")]

    assert places == sorted(places)
    assert AGENTS["draft"][0] not in page
    assert AGENTS["review"][0] not in page


def test_a_launch_page_says_what_the_chain_says(client: httpx.Client, town: Town) -> None:
    held = town.house.room.demand(town.launches["open"])
    page = text(client.get(f"/launch/{town.launches['open']}"))

    assert all(said in page for said in (dollars(held.total), price(held.price), dollars(held.raised)))
    assert f"Block {held.block}," in page
    assert "may still be cancelled until the lock" in page


def test_demand_is_firm_after_the_lock(client: httpx.Client, town: Town) -> None:
    held = town.house.room.demand(town.launches["locked"])
    page = text(client.get(f"/launch/{town.launches['locked']}"))

    assert held.firm == held.total
    assert f"All of it is firm: {dollars(held.firm)}" in page


def test_the_preview_says_what_the_auction_would_give(client: httpx.Client, town: Town) -> None:
    id = town.launches["open"]
    limit = town.house.room.demand(id).levels[90]
    seen = town.house.room.preview(id, 90, 500 * DOLLAR)
    said = text(client.get(f"/launch/{id}/preview", params={"amount": "500", "price": price(limit.price)}))

    assert f"You would get {tokens(seen.tokens)} COURT for {dollars(seen.charge)}" in said
    assert "Level 90:" in said


@pytest.mark.parametrize(
    ("amount", "limit", "said"),
    [
        ("", "", "Write an amount and a price"),
        ("1", "1", "less than the smallest bid"),
        ("100", "0.0000001", "below the lowest price"),
        ("ten", "1", "amount was 'ten'"),
        ("1e9", "1", "amount was '1e9'"),
        ("-5", "1", "amount was '-5'"),
        ("1.1234567", "1", "at most 6 decimals"),
        ("9" * 61, "1", "write a number"),
    ],
)
def test_the_preview_says_what_is_wrong(client: httpx.Client, town: Town, amount: str, limit: str, said: str) -> None:
    answer = client.get(f"/launch/{town.launches['open']}/preview", params={"amount": amount, "price": limit})

    assert answer.status_code == 200
    assert said in text(answer)


def sent(town: Town, steps: list[dict[str, Any]]) -> str:
    """Sends steps as a wallet would; returns the last transaction."""
    chain = town.house.chain
    for step in steps:
        fields = step["transaction"]
        last = chain.send(Call(fields["from"], fields["to"], bytes.fromhex(fields["data"][2:])))
    return str(last)


def asked(client: httpx.Client, path: str, **given: object) -> list[dict[str, Any]]:
    """The steps that a form answers a script with."""
    body = {"account": BIDDER.address, **{name: str(value) for name, value in given.items()}}
    answer = client.post(path, data=body, headers=JSON)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["steps"])


def held(town: Town, state: str) -> dict[int, int]:
    found = town.house.room.positions(town.launches[state], BIDDER.address)
    return {item.level: item.amount for item in found if not item.claimed}


def test_a_bid_lives_its_whole_life_through_the_forms(client: httpx.Client, town: Town) -> None:
    path, levels = f"/launch/{town.launches['open']}", town.house.room.demand(town.launches["open"]).levels
    town.house.fund(BIDDER.address, 1000 * DOLLAR)
    bid = asked(client, f"{path}/bid", amount="100", price=price(levels[20].price))
    last = sent(town, bid)
    placed = held(town, "open")
    sent(town, asked(client, f"{path}/raise", level=20, amount="50"))
    raised = held(town, "open")
    sent(town, asked(client, f"{path}/improve", level=20, price=price(levels[25].price)))
    improved = held(town, "open")
    sent(town, asked(client, f"{path}/cancel", level=25))

    assert [step["title"] for step in bid] == ["Allow the contract to take exactly this amount", "Bid at level 20"]
    assert client.get(f"/launch/transactions/{last}").json()["state"] == "confirmed"
    assert (placed[20], raised[20], improved[25]) == (100 * DOLLAR, 150 * DOLLAR, 150 * DOLLAR)
    assert 25 not in held(town, "open")


def test_a_signed_transfer_and_one_transaction_make_a_bid(client: httpx.Client, town: Town) -> None:
    id, town_dollars = town.launches["open"], town.house.dollars(BIDDER.address)
    sent(town, asked(client, f"/launch/{id}/faucet"))
    taken = town.house.dollars(BIDDER.address) - town_dollars
    (step,) = asked(client, f"/launch/{id}/bid", amount="1000", price="0.003", how="sign")
    signature = "0x" + BIDDER.digest(typed.digest(step["data"])).hex()
    (bring,) = asked(client, step["next"], signature=signature)
    before = held(town, "open")
    sent(town, [bring])
    grown = {level: amount - before.get(level, 0) for level, amount in held(town, "open").items()}

    assert (step["kind"], step["title"], taken) == ("typed-data", "Sign the transfer of $1,000", 1000 * DOLLAR)
    assert step["data"]["message"]["value"] == "1000000000"
    assert 1000 * DOLLAR in grown.values()


def test_a_transfer_signed_by_somebody_else_brings_nothing(client: httpx.Client, town: Town) -> None:
    id = town.launches["open"]
    town.house.fund(BIDDER.address, 200 * DOLLAR)
    (step,) = asked(client, f"/launch/{id}/bid", amount="200", price="0.0035", how="sign")
    forged = {"signature": "0x" + TEAM.digest(typed.digest(step["data"])).hex()}
    answers = [client.post(step["next"], data=forged, headers=JSON)]
    answers.append(client.post(step["next"].replace("amount=200000000", "amount=900000000"), data=forged, headers=JSON))
    answers.append(client.post(step["next"], data={"signature": "0x12"}, headers=JSON))

    assert [answer.status_code for answer in answers] == [409, 409, 422]


@pytest.mark.parametrize(("state", "level"), [("live", 90), ("live", 0), ("failed", 3)])
def test_what_a_bid_came_to_is_claimed_through_the_form(
    client: httpx.Client, town: Town, state: str, level: int
) -> None:
    before = town.house.dollars(BIDDER.address)
    (position,) = (p for p in town.house.room.positions(town.launches[state], BIDDER.address) if p.level == level)
    sent(town, asked(client, f"/launch/{town.launches[state]}/claim", level=level))

    assert level not in held(town, state)
    assert town.house.dollars(BIDDER.address) - before == position.refund


def test_without_a_script_the_form_answers_with_what_to_sign(client: httpx.Client, town: Town) -> None:
    town.house.fund(BIDDER.address, 100 * DOLLAR)
    given = {"account": BIDDER.address, "amount": "100", "price": "0.005"}
    page = text(client.post(f"/launch/{town.launches['open']}/bid", data=given))

    assert "Nothing was sent" in page
    assert "bid(uint256,uint256)" in page
    assert f"mercato launch bid {town.launches['open']}" in page


def test_a_wrong_form_keeps_what_was_written_and_says_what_is_wrong_where(client: httpx.Client, town: Town) -> None:
    given = {"account": "0x12", "amount": "12.50", "price": '"><b>x'}
    answer = client.post(f"/launch/{town.launches['open']}/bid", data=given)

    assert answer.status_code == 422
    assert 'value="12.50"' in answer.text
    assert 'id="e-price"' in answer.text
    assert 'id="e-account"' in answer.text
    assert "<b>x" not in answer.text


def test_what_the_contract_would_refuse_is_refused_before_the_wallet(client: httpx.Client, town: Town) -> None:
    body = {"account": BIDDER.address, "level": "30"}
    answer = client.post(f"/launch/{town.launches['locked']}/cancel", data=body, headers=JSON)

    assert answer.status_code == 409
    assert "auction: " in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/launch/nothing", "/launch/desk/nothing", "/launch/nothing/token"])
def test_an_unknown_launch_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("verb", ["bid", "cancel", "claim", "improve", "raise"])
@pytest.mark.parametrize("body", [{}, {"level": "x"}, {"level": "1", "account": "0x" + "zz" * 20}])
def test_a_form_without_sense_is_refused(client: httpx.Client, town: Town, verb: str, body: dict[str, str]) -> None:
    answer = client.post(f"/launch/{town.launches['open']}/{verb}", data=body, headers=JSON)

    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_visitor_sees_the_own_bids_only_when_signed_in(client: httpx.Client, town: Town) -> None:
    path = f"/launch/{town.launches['locked']}"
    before = client.get(path)
    sign_in(client, BIDDER)
    after = text(client.get(path))

    assert "Your bids" not in text(before)
    assert "$400" in after[after.index("Your bids") :]
    assert ">Pay more</button>" in after
    assert ">Cancel</button>" not in after


def test_made_up_launches_say_so_above_their_heading(client: httpx.Client, town: Town) -> None:
    page = text(client.get(f"/launch/desk/{town.launches['draft']}"))
    real = text(client.get(f"/launch/desk/{town.launches['review']}"))

    assert page.index("Simulated.") < page.index("<h1>")
    assert "Simulated." not in real


def test_the_market_page_says_what_the_pool_holds(client: httpx.Client, town: Town) -> None:
    contracts = town.house.contracts(town.launch("live"))
    page = text(client.get(f"/launch/{town.launches['live']}/token"))

    assert str(contracts.pool) in page
    assert "code verified" in page
    assert "24 in all" in page
    assert "byte for byte the pool of this release" in page
    assert f"Everything here is as of block {town.house.chain.block().number}," in page


def test_a_token_without_a_pool_has_no_market(client: httpx.Client, town: Town) -> None:
    answer = client.get(f"/launch/{town.launches['open']}/token", headers=JSON)

    assert answer.status_code == 409


def test_open_pages_are_told_the_new_book(town: Town) -> None:
    renderers = live(town.house.room, Site(rooms=["launch"]).text)
    event = type("Told", (), {"body": {"launch": town.launches["open"]}})()
    ((topic, name, html),) = renderers["launch.DemandChanged"](event)
    step = list(renderers["launch.LaunchChanged"](event))

    assert (topic, name) == ("launch", f"book-{town.launches['open']}")
    assert "Demand by price level" in html
    assert step == [("launch", f"changed-{town.launches['open']}", "")]


def test_an_identified_person_bids_at_any_price(client: httpx.Client, town: Town) -> None:
    id, attester = town.launches["open"], Key(KEYS[0])
    credential = town.house.room.admit(id, BIDDER.address, "x:somebody", attester)
    town.house.fund(BIDDER.address, 80 * DOLLAR)
    refused = {"account": BIDDER.address, "amount": "80", "credential": "0x00"}
    answer = client.post(f"/launch/{id}/retail", data=refused, headers=JSON)
    sent(town, asked(client, f"/launch/{id}/retail", amount="80", credential="0x" + credential.hex()))

    assert answer.status_code == 409
    assert held(town, "open")[RETAIL] == 80 * DOLLAR


def test_the_applicant_leaves_the_deposit_with_a_wallet(client: httpx.Client, town: Town) -> None:
    launch = town.house.room.apply(town.wanted("draft", symbol="DEPO", name="Deposit Bot", applicant=TEAM.address))
    town.house.fund(TEAM.address, 1000 * DOLLAR)
    sent(town, asked(client, f"/launch/desk/{launch.id}/deposit"))
    sign_in(client, TEAM)
    answer = client.post(f"/launch/desk/{launch.id}/submit")

    assert answer.status_code == 303
    assert town.house.room.launch(launch.id).state is State.REVIEW


def test_the_curator_schedules_and_calls_off_from_the_desk(client: httpx.Client, town: Town) -> None:
    id = town.house.approved(town.wanted("approved", symbol="CURA", applicant="0x" + "c1" * 20)).id
    path = f"/launch/desk/{id}"
    body = {"opens": written(town.house.chain.time() + 7200)}
    sign_in(client, BIDDER)
    refused = client.post(f"{path}/schedule", data=body, headers=JSON)
    sign_in(client, Key(KEYS[0]))
    offered = text(client.get(path))
    scheduled = client.post(f"{path}/schedule", data=body)
    opens = town.house.contracts(town.house.room.launch(id)).opens
    client.post(f"{path}/abort")

    assert refused.status_code == 403
    assert "Put it on the chain" in offered
    assert (scheduled.status_code, opens % 60) == (303, 0)
    assert town.house.room.launch(id).state is State.ABORTED


@pytest.mark.parametrize("state", ["open", "draft", "approved", "scheduled", "declined"])
def test_every_command_on_a_page_is_one_that_exists(client: httpx.Client, town: Town, state: str) -> None:
    paths = (f"/launch/{town.launches[state]}", f"/launch/desk/{town.launches[state]}")
    page = "".join(text(client.get(path)) for path in paths)
    given = {"account": BIDDER.address, "amount": "10", "price": "0.004"}
    page += text(client.post(f"/launch/{town.launches['open']}/bid", data=given))
    found = set(re.findall(r"<code>mercato launch (\w+)", page))
    group = typer.main.get_command(launch_commands.app)
    assert isinstance(group, TyperGroup)
    known = set(group.commands)

    assert found
    assert found <= known


def test_a_reviewer_seals_and_opens_a_card_by_the_forms(client: httpx.Client, town: Town) -> None:
    id, salt = town.launches["review"], "ab" * 32
    panel = {seat.reviewer for seat in town.house.room.reviews(id)[-1].seats}
    members = [key for key in REVIEWERS if key.address in panel]
    shown = card(8, floor=1_000_000 * DOLLAR)
    for key in members:
        sign_in(client, key)
        waiting = "Seal the card" in text(client.get(f"/launch/desk/{id}"))
        client.post(f"/launch/desk/{id}/commit", data={"commitment": seal(id, 1, key.address, shown, salt)})
        assert waiting
    sign_in(client, members[0])
    client.post(f"/launch/desk/{id}/reveal", data={"card": _json(shown.body()), "salt": salt})
    page = text(client.get(f"/launch/desk/{id}"))

    assert "sealed cards are being opened" in page
    assert page.count("unknown until it is opened") == 4
    assert "80.0" in page


def _json(body: Any) -> str:
    return json.dumps(body)


def test_a_card_that_nests_without_end_is_refused_like_any_other_text(client: httpx.Client, town: Town) -> None:
    answer = client.post(f"/launch/desk/{town.launches['review']}/reveal", data={"card": "[" * 100_000}, headers=JSON)

    assert (answer.status_code, answer.json()["detail"]) == (422, "card was not a JSON object")


@pytest.mark.parametrize("verb", ["commit", "reveal", "submit", "appeal"])
def test_nobody_acts_at_the_desk_unless_signed_in(client: httpx.Client, town: Town, verb: str) -> None:
    shown = _json(card().body())
    answer = client.post(f"/launch/desk/{town.launches['draft']}/{verb}", data={"card": shown}, headers=JSON)

    assert (answer.status_code, answer.json()["code"]) == (403, "sign-in-needed")


def test_only_the_applicant_may_submit(client: httpx.Client, town: Town) -> None:
    sign_in(client, BIDDER)
    refused = client.post(f"/launch/desk/{town.launches['draft']}/submit", headers=JSON)
    sign_in(client, TEAM)
    page = text(client.get(f"/launch/desk/{town.launches['draft']}"))

    assert refused.status_code == 403
    assert "Submit it to a panel" in page


FORM = {
    "name": "Cartographer", "symbol": "CARTO", "repository": "https://git.example/carto/agent.git",
    "summary": "Draws maps of software from its source, and keeps them up to date with every release.",
    "commit": "0123456789abcdef0123456789abcdef01234567", "licence": "MIT",
    "team": "R. Sample; maintainer\nS. Sample; research; https://example.org/s",
    "models": "open-model-70b; own servers; open", "tools": "git; reads public repositories",
    "sources": "maps on demand; https://example.org/receipts", "holders": "50",
    "milestones": "A map in public; 60\nA hundred maps; 40", "floor": "$1,000,000", "raise_min": "100000",
    "share-sale": "40", "share-liquidity": "30", "share-team": "15", "share-partner": "5", "share-grants": "5",
    "share-community": "5", "partner": "0x" + "b1" * 20, "grants": "0x" + "b2" * 20, "community": "0x" + "b3" * 20,
}  # fmt: skip


def test_a_team_applies_by_the_form_and_sees_the_checks(client: httpx.Client, town: Town) -> None:
    sign_in(client, TEAM)
    answer = client.post("/launch/apply", data=FORM)
    launch = town.house.room.launch(answer.headers["location"].rpartition("/")[2])
    page = text(client.get(answer.headers["location"]))

    assert answer.status_code == 303
    assert launch.application.applicant == TEAM.address
    assert [item.share_bps for item in launch.application.milestones] == [6000, 4000]
    assert launch.application.terms.floor == 1_000_000 * DOLLAR
    assert "Automatic checks" in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "it was left empty"),
        ("team", "only a name", "line 1 was 'only a name'; write: name; role; [link]"),
        ("models", "m; p; perhaps", "write open or closed"),
        ("milestones", "all; much", "percentage was 'much'"),
        ("share-sale", "140", "at most 100"),
        ("floor", "a lot", "floor"),
        ("holders", "12.345", "percentage was '12.345'"),
    ],
)
def test_a_faulty_application_keeps_every_field(client: httpx.Client, field: str, value: str, said: str) -> None:
    sign_in(client, TEAM)
    answer = client.post("/launch/apply", data={**FORM, field: value})

    assert answer.status_code == 422
    assert said in text(answer)
    assert f'id="e-{field}"' in answer.text
    assert "Draws maps of software" in answer.text
    assert "maps on demand; https://example.org/receipts" in answer.text


def test_nobody_applies_without_an_account(client: httpx.Client) -> None:
    answer = client.post("/launch/apply", data=FORM)

    assert answer.status_code == 422
    assert "sign in first" in text(answer)


def test_a_form_of_many_fields_is_refused(client: httpx.Client) -> None:
    answer = client.post("/launch/apply", data={f"f{number}": "1" for number in range(500)}, headers=JSON)

    assert answer.status_code == 422


def test_text_of_applicants_stays_text(client: httpx.Client, town: Town) -> None:
    hostile = town.wanted("draft", name="<script>alert(1)</script>", repository='javascript:"x"', symbol="EVIL")
    launch = town.house.room.apply(hostile)
    page = client.get(f"/launch/desk/{launch.id}").text

    assert "<script>alert" not in page
    assert 'href="javascript' not in page


def test_a_transaction_that_is_none_is_refused_and_an_unknown_one_waited_for(client: httpx.Client) -> None:
    wrong = client.get("/launch/transactions/0x12", headers=JSON)
    unknown = client.get("/launch/transactions/0x" + "12" * 32)

    assert wrong.status_code == 422
    assert unknown.json() == {"state": "waiting"}


def test_the_pages_without_launches_say_what_to_do(tmp_path: Path) -> None:
    store = sqlite_store(tmp_path)
    room = House.open(store, HandClock(datetime(2026, 3, 2, 12, tzinfo=UTC))).room
    with serve(create_app(load(*SECTIONS, home=tmp_path), store, [Room("launch", room)], worker=False)) as found:
        pages = [text(httpx.get(found + path, headers=HTML)) for path in ("/launch", "/launch/desk", "/launch/apply")]
    store.close()

    assert "No launch yet" in pages[0]
    assert "The desk is empty" in pages[1]
    assert "Apply with an agent" in pages[2]
