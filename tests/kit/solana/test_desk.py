"""The desk for an agent on Solana: the same pages, with what a cluster tells."""

from __future__ import annotations

from html import unescape
from pathlib import Path

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app
from mercato.chains.errors import Unreachable
from mercato.chains.solana.testing import Interrupted
from mercato.chains.testing import local as evm
from mercato.core.settings import load
from mercato.kit.desk.holdings import Holding, holdings
from mercato.kit.desk.service import Desk
from mercato.kit.service import Kit
from mercato.kit.solana.purse import Purse
from mercato.kit.testing import nobody_knows
from mercato.launch.service import Launches
from mercato.launch.settings import LaunchSettings
from tests.kit.office import CLERK, HTML, visitor
from tests.kit.solana.acting import act
from tests.kit.solana.ground import CHAIN, DIME, FRIEND, ME, NATIVE, STRANGER, Town, failing, token

SYMBOL = "<b>pay</b>"


def test_a_cluster_tells_what_an_account_holds(town: Town) -> None:
    nothing = f"{CHAIN}/token:{FRIEND}"
    found = holdings(Purse(town.cluster), ME, [town.usd, NATIVE, nothing], [town.usd])

    assert found[0] == Holding(NATIVE, town.cluster.balance(ME))
    assert set(found[1:]) == {Holding(town.usd, 1_000 * DIME), Holding(nothing, None)}


def test_what_a_silent_cluster_would_tell_is_unknown(town: Town) -> None:
    silent = Interrupted(town.cluster, failing("balance", Unreachable))

    assert holdings(Purse(silent), ME, [town.usd], [town.usd]) == [Holding(NATIVE, None), Holding(town.usd, None)]
    assert holdings(Purse(town.cluster), STRANGER, [town.usd], [])[1].units == 0


def test_the_pages_speak_of_solana_as_of_any_chain(kit: Kit, town: Town, tmp_path: Path) -> None:
    act(kit, "transfer", token=town.dollar, to=FRIEND, amount=str(3 * DIME))
    made = act(kit, "create-mint", title="Free money", symbol=SYMBOL, decimals=6, uri="", supply="5000")
    desk = Desk(
        kit.ledger, {"clerk": CLERK.address}, purses=[Purse(town.cluster)], pricing=nobody_knows, sign_in_chain="31337"
    )
    launches = Launches(kit.ledger.store, evm(), kit.ledger.clock, LaunchSettings())
    parts = [Room("launch", launches), Room("kit", desk)]
    app = create_app(load(*SECTIONS, home=tmp_path), kit.ledger.store, parts, worker=False)
    with serve(app) as address, visitor(address, CLERK) as client:
        wallet = client.get("/kit/wallet?book=agent", headers=HTML).text
        journal = unescape(client.get("/kit/journal?book=agent", headers=HTML).text)
        one = client.get(f"/kit/acts/{made.id}", headers=HTML)

    assert f"<code>{CHAIN}:{ME}</code>" in wallet
    assert 'calls itself <q class="outside">&lt;b&gt;pay&lt;/b&gt;</q>' in wallet
    assert SYMBOL not in wallet
    assert f"Pays 3 USD to {FRIEND}." in journal
    assert "base units of token:" in journal
    assert all(f"Creates {address}." in journal for address in made.effects.creations)
    assert one.status_code == 200
    assert "Simulated." in wallet


def test_a_token_is_named_as_everywhere(town: Town) -> None:
    assert (Purse(town.cluster).coin, Purse(town.cluster).name) == (NATIVE, CHAIN)
    assert Purse(town.cluster).says(token(town.dollar)) == ""
