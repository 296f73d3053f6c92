"""What is known before acting: gas, and what others can do to a token's holders. Pools are in test_uniswap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mercato.chains import Call, Deployed
from mercato.chains.model import ZERO
from mercato.core.clock import HandClock
from mercato.kit.errors import BadArgument
from mercato.kit.evm.actions.contracts import ERC20
from mercato.kit.evm.actions.risk import ANN, selectors
from mercato.kit.service import Kit
from mercato.store import Store
from tests.conformance.chain.conftest import CHAINS
from tests.contracts.compiled import hostile
from tests.kit.ground import ANYTHING, FRIEND, ME, STRANGER, Town, town
from tests.kit.test_nodes import NODES, opened
from tests.market.simulated import UNTIL, fill, market

RIGHTS = {"owner", "mint", "pause", "freeze"}


@pytest.fixture(name="town")
def town_() -> Town:
    return town()


@pytest.fixture
def kit(town: Town, sqlite: Store, clock: HandClock) -> Kit:
    return town.kit(sqlite, clock, town.policy(ANYTHING))


def ruled(town: Town, held: int = 0) -> Deployed:
    """A token whose owner is a stranger, of which the account has some."""
    token = hostile(town.chain, "ruled_token", 10**12, sender=STRANGER)
    token.send("transfer", ME, held, sender=STRANGER)
    return token


def risk(kit: Kit, token: Deployed) -> Any:
    return kit.read("token-risk", {"token": token.address})


def powers(told: Any) -> set[str]:
    return {item["power"] for item in told["authorities"]}


def test_an_owner_who_can_make_more_stop_and_freeze_is_found_by_trying(kit: Kit, town: Town) -> None:
    token = ruled(town, held=5_000)
    told = risk(kit, token)

    assert powers(told) == RIGHTS
    assert {item["holder"] for item in told["authorities"]} == {STRANGER}
    assert told["risks"] == [
        "somebody owns the contract, with whatever rights it gives an owner", "somebody can make more of it",
        "somebody can stop all transfers", "somebody can freeze holders' accounts",
    ]  # fmt: skip
    assert (told["supply"], told["decimals"], told["tax_bps"]["transfer"]) == (str(10**12), 6, 0)
    assert [token.read("paused"), token.read("frozen", FRIEND), token.read("totalSupply")] == [False, False, 10**12]


def test_rights_that_were_given_up_are_none(kit: Kit, town: Town) -> None:
    token = ruled(town, held=5_000)
    token.send("transferOwnership", ZERO, sender=STRANGER)
    told = risk(kit, token)

    assert (told["authorities"], told["risks"]) == ([], [])
    assert {line.split(":")[0] for line in told["unknown"]} >= {"mint", "pause", "freeze"}  # others may have them


def test_where_nobody_holds_the_token_what_was_not_tried_is_unknown(kit: Kit, town: Town) -> None:
    told = risk(kit, ruled(town))

    assert powers(told) == {"owner", "mint"}
    assert told["tax_bps"] == {"transfer": None, "buy": None, "sell": None}
    assert {line.split(":")[0] for line in told["unknown"]} >= {"pause", "freeze", "tax", "liquidity"}


def test_a_fee_on_transfers_is_measured(kit: Kit, town: Town) -> None:
    token = ruled(town, held=10**9)
    token.send("tax", ANN, 333, 0, False, sender=STRANGER)  # whom the trial pays is taxed, as a pool is
    told = risk(kit, token)

    assert told["tax_bps"] == {"transfer": 333, "buy": None, "sell": None}
    assert told["risks"][-1] == "a part of each transfer is kept back"


def test_what_is_no_token_is_refused(kit: Kit, town: Town) -> None:
    with pytest.raises(BadArgument, match="totalSupply"):
        risk(kit, hostile(town.chain, "odd_dollar"))


def test_a_token_without_rules_has_no_risks(kit: Kit, town: Town) -> None:
    """The test dollar has a faucet, under a name that is not tried: what is not looked for is not claimed."""
    told = risk(kit, town.dollar)

    assert (told["authorities"], told["risks"], told["tax_bps"]["transfer"]) == ([], [], 0)
    assert told["standard"] == "erc20"


def test_no_word_of_a_token_is_in_the_answer(kit: Kit, town: Town) -> None:
    token = ruled(town, held=5_000)
    token.send("tax", ME, 0, 0, True, sender=STRANGER)

    assert "ignore" not in str(risk(kit, token)).lower()


def test_the_functions_that_code_knows_are_read_past_its_data() -> None:
    hidden = b"\x61\x63\x40" + b"\x63\x40\xc1\x0f\x19"  # the first 0x63 is data of a push

    assert selectors(hidden) == {bytes.fromhex("40c10f19")}


def test_a_copy_that_cannot_change_is_judged_by_the_code_that_it_runs(kit: Kit, town: Town) -> None:
    """A minimal proxy (EIP-1167) of a token with rights: its target is fixed, and nobody owns the copy."""
    runs = bytes.fromhex("363d3d373d3d3d363d73" + ruled(town).address[2:] + "5af43d82803e903d91602b57fd5bf3")
    made = town.chain.wait(town.chain.send(Call(STRANGER, None, bytes.fromhex("3d602d80600a3d3981f3") + runs))).created
    assert made is not None
    told: Any = kit.read("token-risk", {"token": made})

    assert (told["supply"], powers(told)) == ("0", set())
    assert {line.split(":")[0] for line in told["unknown"]} >= {"mint", "pause", "freeze"}
    assert not any(line.startswith("upgrade") for line in told["unknown"])


def test_code_that_runs_other_code_may_be_replaceable(kit: Kit, town: Town) -> None:
    relay = bytes.fromhex("365f5f375f5f365f73" + town.dollar.address[2:] + "5af4503d5f5f3e3d5ff3")
    size = bytes([len(relay)])
    code = b"\x60" + size + b"\x60\x0a\x5f\x39\x60" + size + b"\x5f\xf3" + relay
    made = town.chain.wait(town.chain.send(Call(STRANGER, None, code))).created
    assert made is not None
    told: Any = kit.read("token-risk", {"token": made})

    assert "upgrade: its code runs other code, which may be replaceable" in told["unknown"]


@pytest.mark.parametrize("node", NODES)
def test_gas_is_told_with_what_a_call_would_cost(sqlite: Store, node: str) -> None:
    with CHAINS[node](True) as rig:
        kit, dollar = opened(rig, sqlite)
        plain: Any = kit.read("gas", {})
        data = "0x" + ERC20.encode("transfer", FRIEND, 5).hex()
        asked: Any = kit.read("gas", {"to": dollar.address, "data": data})
        with pytest.raises(BadArgument, match="would fail"):
            kit.read("gas", {"to": dollar.address, "data": "0x" + ERC20.encode("transfer", FRIEND, 10**30).hex()})
        fees, base = rig.chain.fees(), rig.chain.block().base_fee

    assert plain == {key: asked[key] for key in ("asset", "base_fee", "tip", "offer")}
    assert int(plain["offer"]) == 2 * fees.base + fees.tip
    assert abs(fees.base - base) * 8 <= base  # the next base fee is at most an eighth away
    assert asked["gas"] > 21_000
    assert int(asked["costs"]) == asked["gas"] * (fees.base + fees.tip)


def test_the_market_room_tells_what_it_knows_of_a_token_and_where_that_is_from(kit: Kit, home: Path) -> None:
    room = market(home)
    fill(room, home, days=40)
    asset = next(item for item in room.assets() if item.asset_id.startswith("sim:"))
    told: Any = kit.read("market-price", {"asset": asset.asset_id, "day": UNTIL.isoformat()})

    price = told["figures"]["price"]
    assert (told["asset"], told["day"], told["simulated"]) == (asset.asset_id, UNTIL.isoformat(), True)
    assert (price["unit"], "simulated" in price["flags"]) == ("usd", True)
    assert room.figure(price["id"])["value"] == price["value"]


def test_a_price_that_nobody_knows_is_none_and_says_so(kit: Kit, home: Path) -> None:
    told: Any = kit.read("market-price", {"asset": "virtual-protocol"})

    assert (told["figures"]["price"]["value"], told["figures"]["price"]["flags"]) == (None, ["no-data"])
    assert (told["liquidity_usd"], told["simulated"]) == (None, False)
    for wrong in ({"asset": "no such thing"}, {"asset": "virtual-protocol", "day": "yesterday"}):
        with pytest.raises(BadArgument):
            kit.read("market-price", wrong)


def test_a_token_is_known_by_its_name_on_its_chain(kit: Kit, home: Path) -> None:
    named = "eip155:8453/erc20:0x0B3e328455c4059EEb9e3f84b5543F74E24e7E1b"

    assert kit.read("market-price", {"asset": named})["asset"] == "virtual-protocol"  # type: ignore[index,call-overload]  # what an action reads is JSON
