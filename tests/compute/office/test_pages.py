"""The compute pages over real HTTP: what everybody sees, what operators see, and nothing of anyone unescaped."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from mercato.api.testing import serve
from mercato.chains.signing import Key
from mercato.compute.model import ProviderId
from mercato.compute.settings import ComputeSettings
from mercato.compute.tee import findings
from mercato.compute.tee.words import Finding, Level, Signer
from mercato.core.clock import SystemClock
from mercato.core.errors import ConfigError
from mercato.core.settings import load
from tests.compute.office.week import HTML, KEEPER, NOBODY, ODD, SIGNER, House, house
from tests.kit.office import visitor

pytestmark = pytest.mark.xdist_group("compute-office")  # one worker makes the week for all of the office's tests
MERCATO = str(Path(sys.executable).with_name("mercato"))
PUBLIC = ("/compute", "/compute/checks")
PRIVATE = ("/compute/receipts", "/compute/receipts/{receipt}", "/compute/spend")
READS = ("/api/compute/fleet", "/api/compute/providers.csv", "/api/compute/checks", "/api/compute/providers/{odd}")
SECRET = (
    "/api/compute/receipts", "/api/compute/receipts/{receipt}", "/api/compute/spend", "/api/compute/spend.csv",
    "/api/compute/money",
)  # fmt: skip


@pytest.fixture(scope="module")
def shown(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """An installation that tests only look at, and where it is served."""
    with house(tmp_path_factory.mktemp("house"), filled=filled) as made, serve(made.app()) as address:
        yield made, address


@pytest.fixture
def fresh(filled: Path, tmp_path: Path) -> Iterator[tuple[House, str]]:
    """An installation of the test's own."""
    with house(tmp_path, filled=filled) as made, serve(made.app()) as address:
        yield made, address


def newest(made: House) -> str:
    """Returns the newest request that an epoch counts."""
    till = made.till()
    found = till.bare.run("SELECT MAX(request) FROM compute_receipt WHERE epoch > 0")
    till.close()
    return str(found[0][0])


@pytest.mark.parametrize("key", [None, NOBODY], ids=["nobody", "a stranger"])
def test_what_users_spend_is_for_operators_alone(shown: tuple[House, str], key: Key | None) -> None:
    made, address = shown
    names = {"receipt": newest(made), "odd": made.odd}
    with visitor(address, key) as client:
        open_ = [client.get(path.format(**names), headers=HTML) for path in (*PUBLIC, f"/compute/providers/{made.odd}")]
        reads = [client.get(path.format(**names)) for path in READS]
        closed = [client.get(path.format(**names), headers=HTML) for path in PRIVATE]
        secret = [client.get(path.format(**names)) for path in SECRET]
        turned = client.post("/compute/switch", data={"on": "yes"}, headers=HTML)

    assert [answer.status_code for answer in (*open_, *reads)] == [200] * 7
    assert [answer.status_code for answer in (*closed, *secret, turned)] == [403] * 9
    everything = "".join(answer.text for answer in (*open_, *reads, *closed, *secret))
    assert not re.search(r"simulated-analyst|simulated-trader|key_[0-9a-z]{26}|req_[0-9a-z]{26}", everything)
    assert not re.search(
        r"(?:charged|earned|reserved|amount)_micro",
        "".join(answer.text for answer in reads if "fleet" in str(answer.url)),
    )
    assert all("cache-control" in answer.headers for answer in closed)
    assert not made.office().stopped()


def test_an_operator_sees_everything_and_every_link_leads_somewhere(shown: tuple[House, str]) -> None:
    made, address = shown
    with visitor(address, KEEPER) as client:
        pages = [client.get(path.format(receipt=newest(made)), headers=HTML) for path in (*PUBLIC, *PRIVATE)]
        links = {
            unescape(link) for page in pages for link in re.findall(r'href="(/(?:api/)?compute[^"#]*)"', page.text)
        }
        answers = {link: client.get(link, headers=HTML).status_code for link in sorted(links)[:80]}

    assert [page.status_code for page in pages] == [200] * 5
    assert set(answers.values()) == {200}
    assert {page.headers["cache-control"] for page in pages[2:]} == {"private, no-store"}
    assert "simulated-analyst" in pages[2].text
    assert "Reserved now" in pages[0].text


def test_the_fleet_says_how_good_each_provider_is_and_why_it_stands_where_it_does(shown: tuple[House, str]) -> None:
    found = httpx.get(f"{shown[1]}/api/compute/fleet").json()
    by = {one["name"]: one for one in found["providers"]}
    bad, good = by["simulated-quarry"], by["simulated-harbour"]

    assert (bad["standing"], good["standing"]) == ("ejected", "active")
    assert "audited answers failed" in bad["why"]
    assert bad["quality_bps"][1] < good["quality_bps"][0] < good["quality_bps"][1] == 10_000
    assert by[ODD]["quality_bps"] is None
    assert sum(one["share_bps"] for one in by.values()) in range(9_990, 10_001)
    assert good["first_ms"]["p50"] <= good["first_ms"]["p95"]
    assert found["day"]["requests"] == sum(found["day"]["ends"].values()) == sum(it["requests"] for it in by.values())
    assert good["simulated"]
    assert not by[ODD]["simulated"]


def test_the_quality_is_what_the_command_says(fresh: tuple[House, str], monkeypatch: pytest.MonkeyPatch) -> None:
    made, address = fresh
    monkeypatch.setenv("MERCATO_HOME", str(made.home))
    done = subprocess.run([MERCATO, "compute", "providers", "--json"], capture_output=True, check=True)
    told = {one["id"]: (one["low_bps"], one["high_bps"]) for one in json.loads(done.stdout) if one["audits"]}
    found = httpx.get(f"{address}/api/compute/fleet").json()["providers"]

    assert {one["id"]: tuple(one["quality_bps"]) for one in found if one["quality_bps"]} == told


def test_text_of_outsiders_is_never_markup_nor_a_formula(shown: tuple[House, str]) -> None:
    made, address = shown
    pages = [
        httpx.get(f"{address}{path}", headers=HTML).text for path in ("/compute", f"/compute/providers/{made.odd}")
    ]
    rows = list(csv.DictReader(io.StringIO(httpx.get(f"{address}/api/compute/providers.csv").text)))

    assert all("<script>alert" not in page and "<b>came" not in page and "<i>m" not in page for page in pages)
    assert all("&lt;script&gt;alert(1)&lt;/script&gt;" in page for page in pages)
    assert {row["name"] for row in rows if row["provider"] == made.odd} == {ODD}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_every_page_says_that_the_example_is_simulated(shown: tuple[House, str]) -> None:
    made, address = shown
    with visitor(address, KEEPER) as client:
        pages = [client.get(path.format(receipt=newest(made)), headers=HTML).text for path in (*PUBLIC, *PRIVATE)]

    assert all("Simulated: providers named" in page for page in pages)


def test_a_receipt_carries_its_proof_and_the_commands_that_check_it(fresh: tuple[House, str]) -> None:
    made, address = fresh
    with visitor(address, KEEPER) as client:
        name = newest(made)
        page = unescape(client.get(f"/compute/receipts/{name}", headers=HTML).text)
        body: dict[str, Any] = client.get(f"/api/compute/receipts/{name}").json()

    assert "Sound: its hash is that of its content" in page
    assert (body["faults"], body["proof"]["opens"], body["public_key"]) == ([], True, SIGNER.public)
    assert body["proof"]["root"] in page
    verify = re.search(r"mercato compute receipt verify receipt.json ([^<]*)", page)
    assert verify is not None
    (made.home / "receipt.json").write_text(json.dumps(body["receipt"] | {"proof": body["proof"]}))
    words = [MERCATO, "compute", "receipt", "verify", "receipt.json"]
    options = verify[1].replace("\\", "").split()
    done = subprocess.run([*words, *options], cwd=made.home, capture_output=True, text=True, check=False)
    assert f"{name} is sound" in done.stdout, done.stderr


def test_a_receipt_that_was_rewritten_is_called_so(fresh: tuple[House, str]) -> None:
    made, address = fresh
    name, till = newest(made), made.till()
    with till.bare.transaction():
        till.bare.run(
            """UPDATE compute_entry SET body = REPLACE(body, '"charged":', '"charged":9') WHERE (lane, seq) IN
            (SELECT lane, seq FROM compute_receipt WHERE request = ?)""",
            (name,),
        )
    till.close()
    with visitor(address, KEEPER) as client:
        page = client.get(f"/compute/receipts/{name}", headers=HTML).text
        body = client.get(f"/api/compute/receipts/{name}").json()

    assert 'role="alert"' in page
    assert "its hash is not that of its content" in page
    assert "it charges more than both counts allow" in body["faults"]


def listed(client: httpx.Client, before: str = "") -> list[str]:
    """Returns the requests of all pages of receipts from one on."""
    found = client.get("/api/compute/receipts", params={"before": before}).json()
    names = [one["request"] for one in found["items"]]
    return names + (listed(client, found["before"]) if found["before"] else [])


def test_receipts_are_paged_without_a_gap(shown: tuple[House, str]) -> None:
    made, address = shown
    with visitor(address, KEEPER) as client:
        names = listed(client)
    till = made.till()
    every = [row[0] for row in till.bare.run("SELECT request FROM compute_receipt ORDER BY request DESC")]
    till.close()

    assert names == every


def test_spend_adds_up_to_what_the_ledger_took(shown: tuple[House, str]) -> None:
    made, address = shown
    with visitor(address, KEEPER) as client:
        rows = client.get("/api/compute/spend").json()
        lines = list(csv.DictReader(io.StringIO(client.get("/api/compute/spend.csv").text)))
    till = made.till()
    charged = till.bare.run("SELECT SUM(charged) FROM compute_receipt")[0][0]
    till.close()

    assert sum(row["charged_micro"] for row in rows) == sum(int(row["charged_micro"]) for row in lines) == charged
    assert {row["account"] for row in rows} == {"simulated-analyst", "simulated-trader"}
    assert {row["name"] for row in rows} == {"match reports", "comments", "signals"}


def test_an_operator_stops_the_gateway_and_lets_it_go_on(fresh: tuple[House, str]) -> None:
    made, address = fresh
    with visitor(address, KEEPER) as client:
        stop = client.post("/compute/switch", data={"on": "yes", "why": "<i>odd</i>"}, headers=HTML)
        stopped, page = made.office().stopped(), client.get("/compute", headers=HTML).text
        client.post("/compute/switch", data={"on": "no"}, headers=HTML)
        foreign = client.post("/compute/switch", data={"on": "yes"}, headers={**HTML, "origin": "https://evil.example"})
        wrong = client.post("/compute/switch", data={"on": "perhaps"}, headers=HTML)

    assert (stop.status_code, stop.headers["location"]) == (303, "/compute")
    assert stopped
    assert "Stopped: an operator turned the kill switch on" in page
    assert not made.office().stopped()
    assert (foreign.status_code, wrong.status_code) == (403, 422)


def test_an_empty_installation_says_how_to_begin(tmp_path: Path) -> None:
    with house(tmp_path) as made, serve(made.app(made.office(operators={}))) as address:
        page = unescape(httpx.get(f"{address}/compute", headers=HTML).text)
        door = unescape(httpx.get(f"{address}/compute/spend", headers=HTML).text)
        others = [httpx.get(f"{address}{path}", headers=HTML).status_code for path in PUBLIC]
        csv_ = httpx.get(f"{address}/api/compute/providers.csv")

    assert "No provider yet" in page
    assert "Simulated" not in page
    assert all(words in page for words in ("mercato compute serve", "mercato compute deposit", "mercato compute keys"))
    assert "names no operators of its gateway yet" in door
    assert others == [200, 200]
    assert (csv_.status_code, csv_.text) == (200, "")


def test_unknown_ids_are_not_found_and_odd_ones_refused(shown: tuple[House, str]) -> None:
    paths = ["/compute/providers/x", "/compute/receipts/x", "/api/compute/receipts/x", "/api/compute/providers/x"]
    with visitor(shown[1], KEEPER) as client:
        assert [client.get(path).status_code for path in paths] == [404] * 4
        assert client.get("/api/compute/receipts", params={"before": "' OR 1"}).status_code == 422


def test_the_api_is_described(shown: tuple[House, str]) -> None:
    described: dict[str, Any] = httpx.get(f"{shown[1]}/openapi.json").json()["paths"]
    ours = {path: operation for path, operation in described.items() if path.startswith("/api/compute/")}

    assert len(ours) == 9
    assert all(verb["summary"] and verb["description"] for one in ours.values() for verb in one.values())


@pytest.mark.parametrize(
    ("operators", "said"),
    [('{"a": "0x12"}', "expected 0x and 40 hexadecimal digits for 'a'"), ('{"": "0x1"}', "expected names")],
)
def test_operators_in_the_settings_are_read_strictly(
    monkeypatch: pytest.MonkeyPatch, operators: str, said: str
) -> None:
    monkeypatch.setenv("MERCATO_COMPUTE_OPERATORS", operators)
    with pytest.raises(ConfigError, match=said):
        load(ComputeSettings)


def test_a_providers_page_tells_what_its_machines_proved_and_until_when(fresh: tuple[House, str]) -> None:
    made, address = fresh
    now = SystemClock().now()
    found = Finding(
        ProviderId(made.odd), "<i>m</i>", now, now + timedelta(hours=1), Level.HARDWARE, "<b>software</b> is unknown",
        "ab" * 32, status="UpToDate", gpu="evidence was shown; not verified", signers=(Signer("ecdsa", b"\1" * 20),),
    )  # fmt: skip
    till = made.till()
    with till.bare.transaction():
        findings.write(till.bare, found)
    till.close()
    page = httpx.get(f"{address}/compute/providers/{made.odd}", headers=HTML).text
    told = httpx.get(f"{address}/api/compute/providers/{made.odd}").json()

    assert "hardware only" in page
    assert "&lt;b&gt;software&lt;/b&gt; is unknown" in page
    assert "<b>software" not in page
    assert told["offers"][0]["tee"]["level"] == told["findings"][0]["level"] == "hardware"
    assert told["findings"][0]["signers"] == ["ecdsa:" + "01" * 20]
