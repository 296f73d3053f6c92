"""The launch's pages in a real Chromium, with a wallet that signs and a node that it sends to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from mercato.app import SECTIONS, Room, create_app
from mercato.chains.facade import Facade
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS, KEYS
from mercato.core.settings import load
from mercato.launch.words import exact_tokens, price, short, tokens
from tests.browser.conftest import Serving
from tests.browser.visits import Visits
from tests.browser.wallet import Wallet
from tests.launch.town import AGENTS, BIDDER, DOLLAR, REVIEWERS, Town, built

pytestmark = pytest.mark.browser
OTHER = Key(KEYS[6])
SEEN = ("open", "live", "failed")
ALIKE = [pytest.param(name, marks=pytest.mark.nightly) for name in ("locked", "scheduled", "declined", "draft")]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A launch in every state, for the tests of one module."""
    with built(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture(scope="module")
def site(town: Town, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> str:
    room = town.house.room
    settings = load(*SECTIONS, home=tmp_path_factory.mktemp("home"))
    return serving(create_app(settings, room.store, [Room("launch", room)], worker=False))


@pytest.fixture(scope="module")
def node(town: Town) -> Iterator[str]:
    with Facade(town.house.chain, 0, accounts=ACCOUNTS) as running:
        yield running.url


@pytest.fixture
def wallet(node: str) -> Wallet:
    return Wallet(BIDDER, node)


def signed_in(page: Page) -> None:
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("wallet-button button")).to_contain_text(f"{BIDDER.address[:6]}…")


@pytest.mark.parametrize("path", ["/launch", "/launch/apply", "/launch/desk"])
def test_a_page_of_the_launch_meets_the_standard(visits: Visits, site: str, path: str) -> None:
    visits.check(site + path)


@pytest.mark.parametrize("state", [*SEEN, *ALIKE])
def test_the_page_of_a_launch_meets_the_standard(visits: Visits, site: str, town: Town, state: str) -> None:
    visits.check(f"{site}/launch/{town.launches[state]}")


@pytest.mark.parametrize(
    "state", ["review", *(pytest.param(name, marks=pytest.mark.nightly) for name in ("declined", "draft", "live"))]
)
def test_a_place_on_the_desk_meets_the_standard(visits: Visits, site: str, town: Town, state: str) -> None:
    visits.check(f"{site}/launch/desk/{town.launches[state]}")


def test_the_market_of_a_token_meets_the_standard(visits: Visits, site: str, town: Town) -> None:
    visits.check(f"{site}/launch/{town.launches['live']}/token")


def test_a_visitor_signs_in_and_out_with_a_wallet(visits: Visits, site: str, wallet: Wallet) -> None:
    with visits.open(site + "/launch", prepare=wallet) as visit:
        page = visit.page
        signed_in(page)
        (cookie,) = page.context.cookies()
        visible = page.evaluate("document.cookie")
        who = page.request.get(site + "/api/session").json()
        page.locator("wallet-button button").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        left = page.request.get(site + "/api/session").json()

    assert who == {"account": BIDDER.address}
    assert left == {"account": None}
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), visible) == (True, "Lax", "")
    assert visit.complaints == []


def test_a_signature_that_is_declined_signs_nobody_in(visits: Visits, site: str, wallet: Wallet) -> None:
    wallet.declines = frozenset({"personal_sign"})
    with visits.open(site + "/launch", prepare=wallet) as visit:
        visit.page.get_by_role("button", name="Sign in").click()
        expect(visit.page.locator("wallet-button [role=status]")).to_contain_text("you declined it in the wallet")

    assert visit.complaints == []


def bid(page: Page, amount: str, limit: str) -> None:
    page.get_by_label("Amount, dollars").fill(amount)
    page.get_by_label("Most you would pay").fill(limit)


def test_a_bid_goes_from_the_form_through_the_wallet_onto_the_chain(
    visits: Visits, site: str, town: Town, wallet: Wallet
) -> None:
    id, held = town.launches["open"], town.house.room.demand(town.launches["open"])
    with visits.open(f"{site}/launch/{id}", prepare=wallet) as visit:
        page = visit.page
        signed_in(page)
        page.get_by_text("No test dollars yet?").click()
        page.get_by_role("button", name="Take $1,000 of them").click()
        expect(page.locator("#bid .signing li").last).to_contain_text("Take test dollars: confirmed in block")
        bid(page, "300", price(held.levels[60].price))
        expect(page.locator("#preview")).to_contain_text("You would get")
        page.get_by_role("button", name="Bid with a wallet").click()
        expect(page.locator("#bid .signing li").last).to_contain_text("signed bid at level 60: confirmed in block")
        expect(page.locator("#positions")).to_contain_text("$300")

    found = {item.level: item.amount for item in town.house.room.positions(id, BIDDER.address)}
    assert found[60] == 300 * DOLLAR
    assert (wallet.asked.count("eth_signTypedData_v4"), wallet.asked.count("eth_sendTransaction")) == (1, 2)
    assert visit.complaints == []


def test_a_wallet_that_signs_no_transfers_allows_the_amount_first(
    visits: Visits, site: str, town: Town, wallet: Wallet
) -> None:
    town.house.fund(BIDDER.address, 30 * DOLLAR)
    with visits.open(f"{site}/launch/{town.launches['open']}", prepare=wallet) as visit:
        bid(visit.page, "30", "0.0045")
        visit.page.get_by_text("A wallet that cannot sign transfers").click()
        visit.page.get_by_role("button", name="Bid with an approval first").click()
        expect(visit.page.locator("#bid .signing li").last).to_contain_text("Bid at level")
        expect(visit.page.locator("#bid .signing li").last).to_contain_text("confirmed in block")

    assert (wallet.asked.count("eth_signTypedData_v4"), wallet.asked.count("eth_sendTransaction")) == (0, 2)


def test_a_bid_that_is_declined_in_the_wallet_sends_nothing(
    visits: Visits, site: str, town: Town, wallet: Wallet
) -> None:
    wallet.declines = frozenset({"eth_signTypedData_v4", "eth_sendTransaction"})
    town.house.fund(BIDDER.address, 20 * DOLLAR)
    before = town.house.chain.nonce(BIDDER.address)
    with visits.open(f"{site}/launch/{town.launches['open']}", prepare=wallet) as visit:
        bid(visit.page, "20", "0.004")
        visit.page.get_by_role("button", name="Bid with a wallet").click()
        expect(visit.page.locator("#bid .signing li").last).to_have_text("Refused: you declined it in the wallet")

    assert town.house.chain.nonce(BIDDER.address) == before


def test_a_bid_without_the_money_is_refused_with_the_reason(visits: Visits, site: str, town: Town, node: str) -> None:
    poor = Wallet(OTHER, node)
    with visits.open(f"{site}/launch/{town.launches['open']}", prepare=poor) as visit:
        bid(visit.page, "5000", "0.004")
        visit.page.get_by_role("button", name="Bid with a wallet").click()
        expect(visit.page.locator("#bid .signing li").last).to_contain_text("refused by the contract: ")

    assert "eth_sendTransaction" not in poor.asked


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_one_of_two_wallets_is_chosen_in_a_list(visits: Visits, site: str, node: str, look: str) -> None:
    first, second = Wallet(BIDDER, node), Wallet(OTHER, node, "Second Wallet", "example.second")

    def both(page: Page) -> None:
        first(page)
        second(page)

    with visits.open(site + "/launch", look, prepare=both) as visit:
        page = visit.page
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("dialog", name="Choose a wallet")).to_be_visible()
        faults = visits.violations(page)
        page.get_by_role("button", name="Second Wallet").click()
        expect(page.locator("wallet-button button")).to_contain_text(f"{OTHER.address[:6]}…")

    assert faults == []
    assert "personal_sign" not in first.asked


def test_without_a_wallet_the_page_says_what_to_do(visits: Visits, site: str) -> None:
    with visits.open(site + "/launch") as visit:
        visit.page.get_by_role("button", name="Sign in").click()
        expect(visit.page.get_by_role("dialog")).to_contain_text("No wallet announced itself")
        visit.page.get_by_role("button", name="Cancel").click()
        expect(visit.page.locator("wallet-button [role=status]")).to_contain_text("no wallet was chosen")


def test_a_refund_is_claimed_with_one_click(visits: Visits, site: str, town: Town, wallet: Wallet) -> None:
    before = town.house.dollars(BIDDER.address)
    with visits.open(f"{site}/launch/{town.launches['failed']}", prepare=wallet) as visit:
        signed_in(visit.page)
        visit.page.get_by_role("button", name="Claim").click()
        expect(visit.page.locator("#positions")).to_contain_text("claimed")

    assert town.house.dollars(BIDDER.address) - before == 700 * DOLLAR


def test_an_open_page_shows_a_bid_of_somebody_else_at_once(visits: Visits, site: str, town: Town) -> None:
    id = town.launches["locked"]
    with visits.open(f"{site}/launch/{id}") as visit:
        expect(visit.page.locator("live-status")).to_have_attribute("data-status", "live")
        bid(visit.page, "123", "0.005")
        expect(visit.page.locator("#preview")).to_contain_text("You would get")
        before, said = visit.page.locator(".source").inner_text(), visit.page.locator("#preview").inner_text()
        town.house.bid(town.launch("locked"), "0x" + "77" * 20, 70, 400_000 * DOLLAR)
        town.house.room.sync(id)
        expect(visit.page.locator(".source")).not_to_have_text(before)
        expect(visit.page.locator("#preview")).not_to_have_text(said)
        written = visit.page.get_by_label("Amount, dollars").input_value()

    assert written == "123"


def test_tokens_are_bought_and_sold_with_a_wallet(visits: Visits, site: str, town: Town, wallet: Wallet) -> None:
    id, room = town.launches["live"], town.house.room
    town.house.fund(BIDDER.address, 500 * DOLLAR)
    before = room.balances(id, BIDDER.address)[1]
    with visits.open(f"{site}/launch/{id}/token", prepare=wallet) as visit:
        trade = visit.page.locator("#trade")
        trade.get_by_label("Amount").fill("100")
        expect(trade.locator("#offer")).to_contain_text("You would get")
        signed_in(visit.page)
        expect(trade.get_by_label("Amount")).to_have_value("100")
        expect(trade.locator("#offer")).to_contain_text("You hold")
        trade.get_by_role("button", name="Trade with a wallet").click()
        expect(trade.locator(".signing li").last).to_contain_text("Buy SPRW: confirmed in block")
        expect(visit.page.locator("tbody tr", has_text=short(BIDDER.address)).first).to_contain_text("$100")
        bought = room.balances(id, BIDDER.address)[1] - before
        trade.get_by_label("Sell SPRW").check()
        trade.get_by_label("Amount").fill(exact_tokens(bought))
        expect(trade.locator("#offer")).to_contain_text("for " + tokens(bought))
        trade.get_by_role("button", name="Trade with a wallet").click()
        expect(trade.locator(".signing li").last).to_contain_text("Sell SPRW: confirmed in block")

    assert bought > 0
    assert room.balances(id, BIDDER.address)[1] == before
    assert wallet.asked.count("eth_sendTransaction") == 4
    assert visit.complaints == []


def test_a_trade_that_the_pool_refuses_never_reaches_the_wallet(
    visits: Visits, site: str, town: Town, node: str
) -> None:
    poor = Wallet(OTHER, node)
    with visits.open(f"{site}/launch/{town.launches['live']}/token", prepare=poor) as visit:
        visit.page.locator("#trade").get_by_label("Amount").fill("5000000")
        expect(visit.page.locator("#offer")).to_contain_text("You would get")
        visit.page.get_by_role("button", name="Trade with a wallet").click()
        expect(visit.page.locator("#trade .signing li").last).to_contain_text("refused by the contract: ")

    assert "eth_sendTransaction" not in poor.asked


def test_ones_own_bids_follow_the_book_and_keep_what_is_half_written(
    visits: Visits, site: str, town: Town, wallet: Wallet
) -> None:
    with visits.open(f"{site}/launch/{town.launches['locked']}", prepare=wallet) as visit:
        page = visit.page
        bid(page, "321", "0.005")
        signed_in(page)
        expect(page.locator("live-status")).to_have_attribute("data-status", "live")
        kept = page.get_by_label("Amount, dollars").input_value()
        own = page.locator("#positions")
        own.locator("input.short").first.fill("45")
        said = own.locator("dl").first.inner_text()
        town.house.bid(town.launch("locked"), "0x" + "78" * 20, 90, 900_000 * DOLLAR)
        town.house.room.sync(town.launches["locked"])
        expect(own.locator("dl").first).not_to_have_text(said, use_inner_text=True)
        written = own.locator("input.short").first.input_value()

    assert (kept, written) == ("321", "45")
    assert visit.complaints == []


def test_a_card_is_sealed_in_the_browser_and_opened_later(visits: Visits, site: str, town: Town, node: str) -> None:
    id, room = town.launches["review"], town.house.room
    panel = {seat.reviewer for seat in room.reviews(id)[-1].seats}
    mine, *others = [key for key in REVIEWERS if key.address in panel]
    with visits.open(f"{site}/launch/desk/{id}", prepare=Wallet(mine, node)) as visit:
        page = visit.page
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Seal the card")).to_be_visible()
        for box in page.locator(".criteria input").all():
            box.fill("8")
        page.get_by_label("From", exact=True).fill("500000")
        page.get_by_label("To", exact=True).fill("2000000")
        page.get_by_label("Comment, published").fill('Sound; "careful" \\ well kept.\nMore later: é, €, 漢.')
        page.get_by_role("button", name="Seal the card").click()
        expect(page.locator(".cards-of")).to_contain_text("sealed")
        for key in others:
            room.commit(id, key.address, "0" * 64)
        page.reload()
        expect(page.locator("seal-form [role=status]")).to_contain_text("remembered your card")
        page.get_by_role("button", name="Open the card").click()
        expect(page.locator(".cards-of")).to_contain_text("80.0")

    opened = [seat.card for seat in room.reviews(id)[-1].seats if seat.card]
    assert [card.comment for card in opened] == ['Sound; "careful" \\ well kept.\nMore later: é, €, 漢.']
    assert (opened[0].floor_low, opened[0].floor_high) == (500_000 * DOLLAR, 2_000_000 * DOLLAR)


def test_the_bid_form_works_without_a_script(visits: Visits, site: str, town: Town) -> None:
    town.house.fund(BIDDER.address, 100 * DOLLAR)
    with visits.open(f"{site}/launch/{town.launches['open']}", java_script_enabled=False) as visit:
        page = visit.page
        bid(page, "100", "0.004")
        page.get_by_role("button", name="What would I get?").click()
        said = page.locator("#preview").inner_text()
        page.get_by_label("From account").fill(BIDDER.address)
        page.get_by_role("button", name="Bid with a wallet").click()
        shown = page.locator("main").inner_text()

    assert "You would get" in said
    assert "Nothing was sent" in shown
    assert "bid(uint256,uint256)" in shown


def test_the_time_that_is_left_is_said_alike_with_and_without_a_script(visits: Visits, site: str, town: Town) -> None:
    url = f"{site}/launch/{town.launches['scheduled']}"
    with visits.open(url, java_script_enabled=False) as plain:
        said = plain.page.locator("count-down").inner_text()
    with visits.open(url) as visit:
        shown = visit.page.locator("count-down").inner_text()
        title = visit.page.title()

    assert said.split()[1::2] == shown.split()[1::2]
    assert AGENTS["scheduled"][0] in title
