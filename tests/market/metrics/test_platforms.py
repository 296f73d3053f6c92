"""Platform share by count and cap, with and without the platform's own token, on each chain."""

from datetime import date

from mercato.market.metrics.platforms import platform_share
from mercato.market.model import Query
from mercato.market.testing import days, inputs

LAST = date(2025, 1, 8)


def token(asset_id, cap, platform="", chain="base"):
    return days(asset_id, LAST, [cap], platform=platform, home_chain=chain)[0]


PANEL = [
    token("virtual-protocol", 60.0),
    token("luna", 10.0, "virtuals"),
    token("game", 10.0, "virtuals"),
    token("other", 20.0),
    token("goat", 100.0, "pump", "solana"),
]


def share(result, platform, basis, own, chain="base"):
    return result.figure("share", chain=chain, platform=platform, basis=basis, own_token=own, mode="home").value


def ask(duck, panel=PANEL, **params):
    return platform_share(inputs(duck, panel=panel), Query(as_of=LAST, params=params))


def test_the_own_token_can_be_the_larger_half_of_a_platform(duck):
    result = ask(duck, **{"own.virtuals": "virtual-protocol"})

    assert share(result, "virtuals", "cap", "with") == "0.8"
    assert share(result, "virtuals", "cap", "without") == "0.5"
    assert share(result, "virtuals", "count", "with") == "0.75"
    assert share(result, "virtuals", "count", "without") == "0.666666667"
    assert share(result, "virtuals", "cap", "with", chain="all") == "0.4"
    assert share(result, "pump", "cap", "with", chain="solana") == "1"


def test_a_known_own_token_needs_no_parameter(duck):
    assert share(ask(duck), "virtuals", "cap", "without") == "0.5"


def test_without_knowing_the_own_token_both_are_equal_and_flagged(duck):
    result = ask(duck, **{"own.virtuals": ""})
    found = result.figure("share", chain="base", platform="virtuals", basis="cap", own_token="without", mode="home")

    assert found.value == share(result, "virtuals", "cap", "with") == "0.2"
    assert "own-token-unknown" in found.flags


def test_an_asset_with_the_id_of_the_platform_is_its_own_token(duck):
    result = ask(duck, [token("forge", 60.0), token("luna", 20.0, "forge"), token("other", 20.0)])

    assert share(result, "forge", "cap", "with") == "0.8"
    assert share(result, "forge", "cap", "without") == "0.5"


def test_an_own_token_that_names_its_platform_counts_once(duck):
    result = ask(duck, [token("forge", 60.0, "forge"), token("luna", 20.0, "forge"), token("other", 20.0)])

    assert share(result, "forge", "cap", "with") == "0.8"
    assert share(result, "forge", "cap", "without") == "0.5"
    assert share(result, "forge", "count", "with") == "0.666666667"


def test_a_chain_worth_nothing_has_no_shares(duck):
    result = ask(duck, [token("a", 0.0, "p"), token("b", 0.0)])

    assert share(result, "p", "cap", "with") is None
    assert share(result, "p", "count", "with") == "0.5"


def test_a_chain_that_is_only_the_own_token_has_no_share_without_it(duck):
    assert share(ask(duck, [token("p", 5.0, "p")]), "p", "cap", "without") is None
