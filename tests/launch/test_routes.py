"""The JSON API: reads for everybody, the room's own state for whoever signs, money only as unsigned transactions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app
from mercato.chains.signing import Key, personal
from mercato.chains.testing import KEYS
from mercato.chains.typed import digest
from mercato.core.clock import HandClock
from mercato.core.settings import load
from mercato.launch.clearing import RETAIL
from mercato.launch.scorecard import CRITERIA, seal
from mercato.launch.settings import LaunchSettings
from mercato.launch.testing import House, application, card
from mercato.store import Store

SALT = "5a" * 32
DOLLAR = 10**6
BIDDER = "0x" + "aa" * 20
REVIEWERS = [Key(bytes([number]) * 32) for number in range(1, 13)]
TEAM = Key(KEYS[3])


class Client:
    """A program that speaks to the API and signs as whom it is told."""

    def __init__(self, address: str) -> None:
        self.http = httpx.Client(base_url=f"{address}/api/launch", timeout=60)

    def get(self, path: str, **params: Any) -> Any:
        return self.http.get(path, params=params).json()

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.http.post(path, json={} if body is None else body)

    def signed(self, key: Key, action: str, about: str, detail: str = "") -> dict[str, Any]:
        asked = self.get("/statement", action=action, about=about, detail=detail)
        signature = "0x" + key.digest(personal(asked["statement"].encode())).hex()
        return {"signature": signature, "expires": asked["expires"]}


@pytest.fixture
def house(store: Store, clock: HandClock) -> House:
    return House.open(store, clock, LaunchSettings(reviewers=tuple(key.address for key in REVIEWERS)))


@pytest.fixture
def client(store: Store, house: House, tmp_path: Any) -> Iterator[Client]:
    app = create_app(load(*SECTIONS, home=tmp_path), store, [Room("launch", house.room)], worker=False)
    with serve(app) as address:
        made = Client(address)
        yield made
        made.http.close()


def applied(client: Client) -> dict[str, Any]:
    wanted = application(applicant=TEAM.address)
    body = {"application": wanted.body(), **client.signed(TEAM, "apply", wanted.hash)}
    answer = client.post("/launches", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def panel(client: Client, id: str) -> list[Key]:
    seats = {seat["reviewer"] for seat in client.get(f"/launches/{id}/reviews")[-1]["seats"]}
    return [key for key in REVIEWERS if key.address in seats]


def submitted(client: Client, house: House) -> str:
    id: str = applied(client)["id"]
    house.fund(TEAM.address, 1000 * DOLLAR)
    house.sign(house.room.deposit(id))
    answer = client.post(f"/launches/{id}/submit", client.signed(TEAM, "submit", id))
    assert answer.status_code == 200, answer.text
    return id


def seal_body(client: Client, key: Key, id: str, action: str = "commit") -> dict[str, Any]:
    commitment = seal(id, 1, key.address, card(8), SALT)
    made = client.signed(key, action, id, f"1 {commitment}")
    return {"reviewer": key.address, "round": 1, "commitment": commitment, **made}


def approved(client: Client, house: House) -> str:
    id = submitted(client, house)
    for key in panel(client, id):
        assert client.post(f"/launches/{id}/seals", seal_body(client, key, id)).status_code == 200
    for key in panel(client, id):
        body = {**seal_body(client, key, id, "reveal"), "card": card(8).body(), "salt": SALT}
        assert client.post(f"/launches/{id}/cards", body).status_code == 200
    return id


def scheduled(client: Client, house: House) -> str:
    id, opens = approved(client, house), house.chain.time() + 3600
    curator = Key(KEYS[0])
    body = {"opens": opens, **client.signed(curator, "schedule", id, str(opens))}
    answer = client.post(f"/launches/{id}/schedule", body)
    assert answer.status_code == 200, answer.text
    return id


def test_a_team_reviewers_and_the_curator_take_a_launch_onto_the_chain_by_their_signatures(
    client: Client, house: House
) -> None:
    id = scheduled(client, house)
    body = client.get(f"/launches/{id}")

    assert body["state"] == "scheduled"
    assert [item["step"] for item in client.get(f"/launches/{id}/history")] == ["submit", "approve", "schedule"]
    assert all(item["passed"] for item in client.get(f"/launches/{id}/checks"))
    assert client.get(f"/launches/{id}/reviews")[0]["verdict"]["total"] == 800
    assert client.get("/launches", state="scheduled")[0]["id"] == id
    assert client.get("/launches", state="draft") == []
    assert body["contracts"]["gate"] == client.get("/deployment")["gate"]


def test_a_wallet_gets_unsigned_transactions_for_everything_that_moves_money(client: Client, house: House) -> None:
    id = scheduled(client, house)
    launch = house.room.launch(id)
    house.to_open(launch)
    house.fund(BIDDER, 1000 * DOLLAR)
    ask = {"bidder": BIDDER, "level": 20, "amount": str(300 * DOLLAR)}
    approve, bid = client.post(f"/launches/{id}/transactions/bid", ask).json()
    house.sign(house.room.prepare_bid(id, BIDDER, 20, 300 * DOLLAR))
    improve = client.post(
        f"/launches/{id}/transactions/improve",
        {"bidder": BIDDER, "from_level": 20, "to_level": 21, "amount": str(DOLLAR * 100)},
    ).json()
    cancel = client.post(f"/launches/{id}/transactions/cancel", ask).json()
    claim = client.post(f"/launches/{id}/transactions/claim", {"bidder": BIDDER, "level": 20}).json()

    assert approve["function"] == "approve(address,uint256)"
    assert bid["transaction"]["to"] == house.contracts(launch).auction
    assert (bid["arguments"], bid["refusal"]) == ({"level": "20", "amount": "300000000"}, "")
    assert (improve[0]["refusal"], cancel[0]["refusal"]) == ("", "")
    assert claim[0]["refusal"] == "auction: not decided yet"


def test_a_bid_is_signed_as_typed_data_and_brought_by_somebody_else(client: Client, house: House) -> None:
    id = scheduled(client, house)
    house.to_open(house.room.launch(id))
    house.fund(TEAM.address, 100 * DOLLAR)
    bid = {"bidder": TEAM.address, "level": 12, "amount": str(100 * DOLLAR)}
    asked = client.post(f"/launches/{id}/authorization", bid).json()
    typed = asked.pop("typed")
    signature = "0x" + TEAM.digest(digest(typed)).hex()
    body = {**asked, "sender": BIDDER, "signature": signature}
    (brought,) = client.post(f"/launches/{id}/transactions/signed-bid", body).json()

    assert typed["message"]["value"] == str(100 * DOLLAR)
    assert (brought["transaction"]["from"], brought["refusal"]) == (BIDDER, "")


def test_the_book_a_preview_and_positions_are_text_amounts(client: Client, house: House) -> None:
    id = scheduled(client, house)
    launch = house.room.launch(id)
    house.to_open(launch)
    house.bid(launch, BIDDER, 20, 300 * DOLLAR)
    book = client.get(f"/launches/{id}/demand")
    preview = client.get(f"/launches/{id}/preview", level=RETAIL, amount="1000000")
    (position,) = client.get(f"/launches/{id}/positions/{BIDDER}")

    assert book["total"] == book["cancellable"] == "300000000"
    assert [(item["level"], item["demand"]) for item in book["levels"]] == [(20, "300000000")]
    assert len(client.get(f"/launches/{id}/demand", all_levels=True)["levels"]) == 256
    assert preview["clears"]
    assert (position["level"], position["amount"], position["final"]) == (20, "300000000", False)


def test_who_did_not_sign_is_refused(client: Client, house: House) -> None:
    stranger = Key(bytes([99]) * 32)
    wanted = application(applicant=TEAM.address)
    forged = {"application": wanted.body(), **client.signed(stranger, "apply", wanted.hash)}
    id = submitted(client, house)
    member = panel(client, id)[0]
    stolen = {**seal_body(client, member, id), **client.signed(stranger, "commit", id)}
    mixed = {**seal_body(client, member, id), "commitment": "00" * 32}
    answers = [
        client.post("/launches", forged),
        client.post(f"/launches/{id}/seals", stolen),
        client.post(f"/launches/{id}/seals", mixed),
        client.post(f"/launches/{id}/appeal", client.signed(stranger, "appeal", id)),
        client.post(f"/launches/{id}/refund", client.signed(TEAM, "refund", id)),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert {answer.json()["code"] for answer in answers} == {"not-signed"}


def declined(house: House, id: str) -> None:
    review = house.room.reviews(id)[-1]
    for seat in review.seats:
        house.room.commit(id, seat.reviewer, seal(id, review.round, seat.reviewer, card(2), SALT))
    for seat in review.seats:
        house.room.reveal(id, seat.reviewer, card(2), SALT)


def test_a_copied_signature_serves_for_no_second_appeal(client: Client, house: House) -> None:
    id = submitted(client, house)
    declined(house, id)
    house.fund(TEAM.address, 2000 * DOLLAR)
    house.sign(house.room.deposit(id))
    appeal = client.signed(TEAM, "appeal", id)
    first = client.post(f"/launches/{id}/appeal", appeal)
    declined(house, id)
    house.sign(house.room.deposit(id))
    copied = client.post(f"/launches/{id}/appeal", appeal)
    again = client.post(f"/launches/{id}/appeal", client.signed(TEAM, "appeal", id))

    assert [first.status_code, copied.status_code, again.status_code] == [200, 403, 200]
    assert "ask for the statement again" in copied.json()["hint"]


def test_a_statement_is_void_after_a_day_and_holds_no_longer(client: Client, clock: HandClock) -> None:
    id = applied(client)["id"]
    made = client.signed(TEAM, "submit", id)
    longer = client.post(f"/launches/{id}/submit", {**made, "expires": made["expires"] + 1})
    other = client.post(f"/launches/{id}/submit", {**made, "expires": made["expires"] - 1})
    clock.move(timedelta(days=1))
    late = client.post(f"/launches/{id}/submit", made)

    assert [longer.status_code, other.status_code, late.status_code] == [422, 403, 422]
    assert late.json()["detail"].startswith(f"expires was {made['expires']}, now is")


def test_cards_are_shown_once_the_round_is_decided(client: Client, house: House) -> None:
    id = submitted(client, house)
    members = panel(client, id)
    for key in members:
        client.post(f"/launches/{id}/seals", seal_body(client, key, id))
    body = {**seal_body(client, members[0], id, "reveal"), "card": card(8).body(), "salt": SALT}
    client.post(f"/launches/{id}/cards", body)
    (review,) = client.get(f"/launches/{id}/reviews")

    assert [seat["opened"] for seat in review["seats"]].count(True) == 1
    assert {seat["card"] is None for seat in review["seats"]} == {True}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/launches/lch_x/submit", {"signature": "0x", "expires": 1}, 422),
        ("/launches/lch_00000000000000000000000000/submit", {"signature": "0x", "expires": 1}, 404),
        ("/launches", {"application": {}, "signature": "0x", "expires": 1}, 422),
        ("/launches", {"application": {}, "signature": "0x", "expires": 1, "more": 1}, 422),
        ("/launches", {"signature": "sig", "expires": 1}, 422),
    ],
)
def test_a_body_that_cannot_be_right_gets_a_problem(client: Client, path: str, body: Any, status: int) -> None:
    answer = client.post(path, body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]


def test_a_step_out_of_turn_is_a_conflict_that_names_the_possible_ones(client: Client) -> None:
    id = applied(client)["id"]
    answer = client.post(f"/launches/{id}/appeal", client.signed(TEAM, "appeal", id))

    assert answer.status_code == 409
    assert answer.json()["hint"] == "possible steps: submit"
    assert answer.json()["facts"] == {"state": "draft"}


def test_faults_of_an_application_are_named(client: Client) -> None:
    wanted = application(applicant=TEAM.address).body()
    wanted["terms"]["floor"] = "a lot"
    answer = client.post("/launches", {"application": wanted, "signature": "0x", "expires": 1})

    assert (answer.status_code, answer.json()["detail"]) == (422, "terms.floor was 'a lot'")


def test_the_rules_are_published(client: Client) -> None:
    rules = client.get("/rules")

    assert rules["criteria"] == dict(CRITERIA)
    assert {"state": "draft", "step": "submit", "to": "review"} in rules["transitions"]


def test_every_operation_is_documented(client: Client) -> None:
    paths = httpx.get(str(client.http.base_url).split("/api/")[0] + "/openapi.json").json()["paths"]
    ours = [item for path, verbs in paths.items() if path.startswith("/api/launch") for item in verbs.values()]

    assert len(ours) >= 24
    assert [item["summary"] for item in ours if not item.get("summary")] == []


@pytest.mark.parametrize(
    ("host", "hosts", "status"),
    [
        ("127.0.0.1", "[]", 200),
        ("0.0.0.0", "[]", 403),
        ("0.0.0.0", '["*"]', 403),
        ("0.0.0.0", '["127.0.0.1"]', 200),
    ],
)
def test_sign_in_needs_a_server_that_knows_its_name(
    store: Store, house: House, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, host: str, hosts: str, status: int
) -> None:
    monkeypatch.setenv("MERCATO_API_HOST", host)
    monkeypatch.setenv("MERCATO_API_HOSTS", hosts)
    app = create_app(load(*SECTIONS, home=tmp_path), store, [Room("launch", house.room)], worker=False)
    with serve(app) as address:
        asked = httpx.post(f"{address}/api/session/challenge", json={"account": TEAM.address})

    assert asked.status_code == status
