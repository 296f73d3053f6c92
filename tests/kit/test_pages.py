"""The desk over real HTTP: who is let in, what they see, what they may answer; nothing secret, nothing unescaped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from mercato.api.testing import serve
from mercato.app import SECTIONS, create_app, open_store, rooms
from mercato.chains.errors import Unreachable
from mercato.chains.signing import Key
from mercato.chains.testing import KEYS
from mercato.core.errors import ConfigError
from mercato.core.settings import load
from mercato.kit import Policy
from mercato.kit.acts import State
from mercato.kit.errors import Frozen
from mercato.kit.evm.purse import Purse
from mercato.kit.ledger import Ledger
from mercato.kit.model import ACTS
from mercato.kit.pages import SHOWN
from mercato.kit.replay import replay
from mercato.kit.settings import KitSettings
from mercato.store import Store
from tests.conformance.store.conftest import BACKENDS
from tests.kit.ground import FRIEND, ME, STRANGER, WALLET, WORDS, done
from tests.kit.office import CLERK, HTML, NOBODY, OPERATORS, SYMBOL, TREASURER, Office, office, pay, visitor

READS = (
    "/api/kit/books", "/api/kit/wallet?book=agent", "/api/kit/profit?book=agent", "/api/kit/journal?book=agent",
    "/api/kit/act?act={asked}", "/api/kit/approvals",
)  # fmt: skip
PAGES = ("/kit", "/kit/wallet?book=agent", "/kit/journal?book=agent", "/kit/acts/{asked}", "/kit/approvals")
CHANGES = (
    ("/api/kit/approvals", {"act": "{asked}", "yes": "true"}), ("/api/kit/switch", {"book": "agent", "on": "true"}),
)  # fmt: skip


@pytest.fixture(scope="module", params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty PostgreSQL, or none, which is a file."""
    if request.param == "sqlite":
        yield ""
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield url


@pytest.fixture(scope="module")
def shown(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str]]:
    """An office that tests only look at, and where it is served."""
    with (
        office(tmp_path_factory.mktemp("office"), database) as made,
        serve(made.app(tmp_path_factory.mktemp("home"))) as address,
    ):
        yield made, address


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[tuple[Office, str]]:
    """An office of the test's own."""
    with office(tmp_path) as made, serve(made.app(tmp_path)) as address:
        yield made, address


@pytest.mark.parametrize("key", [None, NOBODY, WALLET], ids=["nobody", "a stranger", "the agent itself"])
def test_only_operators_are_let_in(shown: tuple[Office, str], key: Key | None) -> None:
    made, address = shown
    with visitor(address, key) as client:
        reads = [client.get(path.format(**made.acts)) for path in READS]
        pages = [client.get(path.format(**made.acts), headers=HTML) for path in PAGES]
        changes = [
            client.post(path, json={key: str(value).format(**made.acts) for key, value in body.items()})
            for path, body in CHANGES
        ]
        forms = [client.post(f"/kit/approvals/{made.acts['asked']}", data={"answer": "yes"}, headers=HTML)]

    assert [answer.status_code for answer in (*reads, *changes, *forms)] == [403] * 9
    assert [answer.status_code for answer in pages] == [200, 403, 403, 403, 403]
    assert all("From nothing to an agent that acts" in answer.text for answer in pages)
    assert not any(
        "pocket money" in answer.text or ME in answer.text.replace(WALLET.address, "", 2) for answer in reads
    )
    assert made.kit.ledger.act(made.acts["asked"]).state is State.ASKED


def test_an_operator_sees_what_the_agent_holds_and_has_used(shown: tuple[Office, str]) -> None:
    with visitor(shown[1], CLERK) as client:
        found = client.get("/api/kit/wallet?book=agent").json()
        page = unescape(client.get("/kit/wallet?book=agent", headers=HTML).text)
    held = {item["name"]: item["whole"] for item in found["balances"][0]["holdings"]}
    day, friend = found["budgets"]

    assert (held["USD"], found["balances"][0]["simulated"]) == ("960", True)
    assert (day["used"], day["left"], friend["scope"]) == ("40000000", "160000000", FRIEND)
    assert "At most 200 USD in any 24 hours, all acts together." in page
    assert "40 USD used or reserved, 160 USD left" in page
    assert "Spends up to 50 USD and up to 0.01 ETH, the fee within it." in page
    assert "Simulated." in page


def test_profit_says_what_is_unknown_and_why(shown: tuple[Office, str]) -> None:
    with visitor(shown[1], CLERK) as client:
        found = client.get("/api/kit/profit?book=agent").json()
    lines = {line["name"]: line for line in found["lines"]}

    assert (lines["USD"]["net_whole"], lines["USD"]["value_micro_usd"]) == ("-40", "-40000000")
    assert (found["total_micro_usd"], found["settled"], found["simulated_prices"]) == (None, 3, True)
    assert "eip155:31337/slip44:60" in found["unpriced"]


def test_the_journal_tells_every_act_once_and_why_one_was_refused(shown: tuple[Office, str]) -> None:
    with visitor(shown[1], CLERK) as client:
        whole = client.get("/api/kit/journal?book=agent").json()
        pages, before = [], ""
        for _ in range(3):
            answer = client.get(f"/api/kit/journal?book=agent&limit=3{before}").json()
            pages += answer["items"]
            before = f"&before={answer['before']}"
        page = unescape(client.get("/kit/journal?book=agent", headers=HTML).text)
    refused = next(item for item in whole["items"] if item.get("state") == "refused")

    assert pages == whole["items"]
    assert whole["before"] is None
    assert (refused["rule"], refused["says"][0]) == ("never strangers", f"Pays 5 USD to {STRANGER}.")
    assert [entry["arrow"] for entry in refused["entries"]] == ["intended", "planned", "rehearsed", "decided"]
    assert "Refused by the rule “never strangers”." in page
    assert all(entry["hash"] in page for entry in refused["entries"])


def test_an_act_that_was_approved_and_carried_out_stands_where_it_began(fresh: tuple[Office, str]) -> None:
    made, address = fresh
    done(made.kit, "transfer", pay(made.town, FRIEND, 1))
    made.kit.resume(made.acts["agreed"])
    with visitor(address, CLERK) as client:
        items = client.get("/api/kit/journal?book=agent").json()["items"]
    ids = [item["act"] for item in items if item["act"]]

    assert len(set(ids)) == len(ids) == 8
    assert ids.index(made.acts["agreed"]) > ids.index(made.acts["rejected"])


@pytest.mark.parametrize("path", [*PAGES, "/kit/acts/{given}"])
def test_words_of_others_are_shown_as_words(shown: tuple[Office, str], path: str) -> None:
    made, address = shown
    with visitor(address, TREASURER) as client:
        page = client.get(path.format(**made.acts), headers=HTML).text

    assert "<script>alert" not in page
    assert SYMBOL not in page
    assert "\u202e" not in page


def test_what_a_token_calls_itself_is_shown_as_its_own_word(shown: tuple[Office, str]) -> None:
    with visitor(shown[1], TREASURER) as client:
        page = client.get("/kit/wallet?book=agent", headers=HTML).text

    assert 'calls itself <q class="outside">&lt;b&gt;pay me&lt;/b&gt;</q>' in page
    assert "7,000,000,000,000,000,000 base units" in page


def test_nothing_signed_and_no_key_is_ever_shown(fresh: tuple[Office, str]) -> None:
    made, address = fresh
    made.kit.ledger.open("agent", made.town.policy(WORDS), "operator")
    word = done(made.kit, "sign-message", {"message": "hello"})
    raws = [one.raw.hex() for id in (*made.acts.values(), word.id) for one in made.kit.ledger.act(id).signed]
    paths = [path.format(**made.acts) for path in (*READS, *PAGES)]
    with visitor(address, TREASURER) as client:
        shown = "".join(
            client.get(path).text for path in [*paths, f"/kit/acts/{word.id}", f"/api/kit/act?act={word.id}"]
        )

    assert len(raws) >= 4
    assert not [raw for raw in (*raws, *(key.hex() for key in KEYS)) if raw in shown]
    assert word.id in shown


def test_an_approver_approves_and_the_journal_keeps_the_proof(fresh: tuple[Office, str]) -> None:
    made, address = fresh
    with visitor(address, TREASURER) as client:
        (first, *_) = client.get("/api/kit/approvals").json()
        answer = client.post(f"/kit/approvals/{made.acts['asked']}", data={"answer": "yes"}, headers=HTML)
        again = client.post(f"/kit/approvals/{made.acts['asked']}", data={"answer": "yes"}, headers=HTML)
        page = unescape(client.get(f"/kit/acts/{made.acts['asked']}", headers=HTML).text)
    proof = made.kit.ledger.journal("agent", act=made.acts["asked"])[-1].body

    assert (first["act"], first["you_may_answer"]) == (made.acts["asked"], True)
    assert (answer.status_code, answer.headers["location"], again.status_code) == (303, "/kit/approvals", 409)
    assert proof == {"by": "treasurer", "account": TREASURER.address}
    assert f"Approved by treasurer, signed in as {TREASURER.address}" in page
    assert made.kit.resume(made.acts["asked"]).state is State.DONE
    assert replay(made.store, "agent").seq == made.kit.ledger.book("agent").seq


def test_a_rejection_ends_an_act_that_waits_or_that_was_approved_before(fresh: tuple[Office, str]) -> None:
    made, address = fresh
    with visitor(address, TREASURER) as client:
        page = client.get("/kit/approvals", headers=HTML).text
        answer = client.post("/api/kit/approvals", json={"act": made.acts["asked"], "yes": False})
        client.post(f"/kit/approvals/{made.acts['agreed']}", data={"answer": "no"}, headers=HTML)

    assert (page.count(">Approve<"), page.count(">Take it back<")) == (1, 1)
    assert (answer.status_code, answer.json()["state"]) == (200, "over")
    assert made.kit.ledger.act(made.acts["agreed"]).state is State.OVER


def test_an_operator_whom_the_policy_does_not_name_may_look_and_not_approve(fresh: tuple[Office, str]) -> None:
    made, address = fresh
    with visitor(address, CLERK) as client:
        answer = client.post("/api/kit/approvals", json={"act": made.acts["asked"], "yes": True})
        page = client.get("/kit/approvals", headers=HTML).text

    assert (answer.status_code, answer.json()["hint"]) == (403, "may approve: treasurer")
    assert ">Approve<" not in page
    assert "May approve: treasurer. You are signed in as none of them." in page
    assert made.kit.ledger.act(made.acts["asked"]).state is State.ASKED


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}], ids=["another site", "a sandboxed frame"]
)
def test_the_page_of_another_site_can_change_nothing(fresh: tuple[Office, str], headers: dict[str, str]) -> None:
    made, address = fresh
    with visitor(address, TREASURER) as client:
        answers = [
            client.post(f"/kit/approvals/{made.acts['asked']}", data={"answer": "yes"}, headers=headers),
            client.post("/kit/switch", data={"book": "agent", "on": "yes"}, headers=headers),
            client.post("/api/kit/switch", json={"book": "agent", "on": True}, headers=headers),
        ]
        looks = client.get(f"/kit/approvals/{made.acts['asked']}", headers=headers)

    assert [answer.json()["code"] for answer in answers] == ["other-origin"] * 3
    assert looks.status_code == 405
    assert made.kit.ledger.act(made.acts["asked"]).state is State.ASKED
    assert not made.kit.ledger.book("agent").frozen


def test_any_operator_freezes_and_thaws(fresh: tuple[Office, str]) -> None:
    made, address = fresh
    with visitor(address, CLERK) as client:
        answer = client.post("/kit/switch", data={"book": "agent", "on": "yes", "why": "<i>odd</i>"}, headers=HTML)
        page = client.get(answer.headers["location"], headers=HTML).text
        with pytest.raises(Frozen):
            done(made.kit, "transfer", pay(made.town, FRIEND, 1))
        journal = client.get("/kit/journal?book=agent", headers=HTML).text
        thawed = client.post("/api/kit/switch", json={"book": "agent", "on": False, "why": "it was nothing"}).json()

    assert (answer.status_code, answer.headers["location"]) == (303, "/kit/wallet?book=agent")
    assert "Frozen: nothing of this book is reserved, signed or sent" in page
    assert f"By clerk, signed in as {CLERK.address}." in journal
    assert "&lt;i&gt;odd&lt;/i&gt;" in journal
    assert thawed["frozen"] is False
    assert done(made.kit, "transfer", pay(made.town, FRIEND, 1)).state is State.DONE


def test_whoever_approves_a_signature_sees_the_words(fresh: tuple[Office, str]) -> None:
    made, address = fresh
    rule = {"name": "words", "verdict": "ask", "approvers": ["treasurer"], "actions": ["sign-message"]}
    made.kit.ledger.open("agent", made.town.policy(rule), "operator")
    done(made.kit, "sign-message", {"message": "I <b>owe</b> you everything"})
    with visitor(address, TREASURER) as client:
        page = client.get("/kit/approvals", headers=HTML).text

    assert "Words that are signed" in page
    assert "I &lt;b&gt;owe&lt;/b&gt; you everything" in page


def test_an_agent_that_asks_for_very_much_does_not_bury_the_queue(fresh: tuple[Office, str]) -> None:
    made, address = fresh
    one = made.kit.ledger.act(made.acts["asked"])
    for _ in range(SHOWN):
        made.kit.ledger.ask(replace(one.intent, id=ACTS.new()), {"steps": []}, one.effects, one.decision)
    with visitor(address, TREASURER) as client:
        page = client.get("/kit/approvals", headers=HTML).text
        whole = client.get("/api/kit/approvals").json()

    assert page.count('class="card asked"') == SHOWN
    assert "2 more wait behind these" in page
    assert len(whole) == SHOWN + 2


def test_an_approver_may_be_named_by_account_in_the_policy(fresh: tuple[Office, str]) -> None:
    made, _ = fresh
    rule = {"name": "all", "verdict": "ask", "approvers": ["0x" + CLERK.address[2:].upper()], "spend": {"USD": "any"},
            "recipients": ["any"], "contracts": ["any"]}  # fmt: skip
    made.kit.ledger.open("agent", made.town.policy(rule), "operator")
    asked = done(made.kit, "transfer", pay(made.town, FRIEND, 2))

    assert made.desk().answer(asked.id, CLERK.address, yes=True).state is State.AGREED


class Silent(Purse):
    """A chain whose node stopped to answer."""

    def balance(self, address: str, asset: str) -> int | None:
        raise Unreachable("the node did not answer")


def test_balances_are_unknown_where_no_chain_answers_and_the_rest_is_there(
    shown: tuple[Office, str], tmp_path: Path
) -> None:
    made = shown[0]
    silent, none = made.desk(Silent(made.town.chain)), made.desk()
    none._purses.clear()
    for desk, said in ((silent, "Unknown is what no chain"), (none, "Unknown: no chain of this name is at hand")):
        with serve(made.app(tmp_path, desk)) as address, visitor(address, CLERK) as client:
            page = client.get("/kit/wallet?book=agent", headers=HTML).text

        assert said in page
        assert "40 USD used or reserved" in page


def test_without_operators_the_door_says_how_to_name_one(shown: tuple[Office, str], tmp_path: Path) -> None:
    made = shown[0]
    with serve(made.app(tmp_path, made.desk(operators={}))) as address, visitor(address, TREASURER) as client:
        page = unescape(client.get("/kit", headers=HTML).text)
        refused = client.get("/api/kit/books").status_code

    assert "this installation names no operators" in page
    assert f'MERCATO_KIT_OPERATORS=\'{{"me": "{TREASURER.address}"}}\'' in page
    assert refused == 403


def test_an_installation_without_books_says_what_to_do(
    shown: tuple[Office, str], sqlite: Store, tmp_path: Path
) -> None:

    made = shown[0]
    desk = made.desk()
    desk.ledger = Ledger(sqlite, made.kit.ledger.clock)
    with serve(made.app(tmp_path, desk)) as address, visitor(address, TREASURER) as client:
        page = client.get("/kit", headers=HTML).text
        waiting = client.get("/kit/approvals", headers=HTML).text

    assert "No book yet" in page
    assert "mercato kit policy set policy.toml" in page
    assert "Nothing waits" in waiting


def test_the_policy_that_the_door_proposes_can_be_put_in_force(shown: tuple[Office, str]) -> None:
    page = unescape(httpx.get(f"{shown[1]}/kit", headers=HTML).text)
    text = page.partition("<<'END'\n")[2].partition("\nEND")[0]
    policy = Policy.parse(text.replace("0x… whom it may pay", FRIEND))

    assert [(rule.name, rule.verdict) for rule in policy.rules] == [("a little", "allow"), ("more", "ask")]
    assert policy.budgets[0].asset == "eip155:31337/slip44:60"


def test_the_application_opens_the_desk_beside_the_other_rooms(tmp_path: Path) -> None:
    settings = load(*SECTIONS, home=tmp_path)
    store = open_store(settings)
    with serve(create_app(settings, store, rooms(store, settings), worker=False)) as address:
        page = httpx.get(f"{address}/kit", headers=HTML).text
    store.close()

    assert '<a href="/kit" aria-current="page">Kit</a>' in page
    assert "this installation names no operators" in page


def test_unknown_books_and_acts_are_not_found(shown: tuple[Office, str]) -> None:
    paths = ["/api/kit/wallet?book=x", "/api/kit/journal?book=x", f"/api/kit/act?act=act_{'0' * 26}", "/kit/acts/x"]
    with visitor(shown[1], CLERK) as client:
        assert [client.get(path).status_code for path in paths] == [404] * 4


def test_the_api_is_described(shown: tuple[Office, str]) -> None:
    described: dict[str, Any] = httpx.get(f"{shown[1]}/openapi.json").json()["paths"]
    ours = {path: operation for path, operation in described.items() if path.startswith("/api/kit/")}

    assert len(ours) == 7
    assert all(verb["summary"] and verb["description"] for one in ours.values() for verb in one.values())


def test_pages_of_operators_are_kept_by_nobody(shown: tuple[Office, str]) -> None:
    made, address = shown
    with visitor(address, CLERK) as client:
        kept = {client.get(path.format(**made.acts), headers=HTML).headers["cache-control"] for path in PAGES}
        links = set(re.findall(r'href="(/kit[^"#]*)"', client.get("/kit/journal?book=agent", headers=HTML).text))
        answers = [client.get(unescape(link), headers=HTML).status_code for link in links]

    assert kept == {"private, no-store"}
    assert answers == [200] * len(links)


@pytest.mark.parametrize(
    ("operators", "said"),
    [('{"a": "0x12"}', "expected 0x and 40 hexadecimal digits for 'a'"), ('{"": "0x1"}', "expected names")],
)
def test_operators_in_the_settings_are_read_strictly(
    monkeypatch: pytest.MonkeyPatch, operators: str, said: str
) -> None:
    monkeypatch.setenv("MERCATO_KIT_OPERATORS", operators)
    with pytest.raises(ConfigError, match=said):
        load(KitSettings)


def test_operators_in_the_settings_mean_the_same_in_any_case(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shouted = "0x" + TREASURER.address[2:].upper()
    monkeypatch.setenv("MERCATO_KIT_OPERATORS", json.dumps({"treasurer": shouted}))

    assert load(KitSettings, home=tmp_path).of(KitSettings).operators == {"treasurer": OPERATORS["treasurer"]}
