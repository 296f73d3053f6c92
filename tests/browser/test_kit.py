"""The kit's pages in a real Chromium: the standard, an approval by keyboard, what comes live, and nothing unescaped."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from mercato.api.session import COOKIE
from mercato.chains.facade import Facade
from mercato.chains.signing import Key
from mercato.chains.testing import ACCOUNTS
from mercato.kit.acts import State
from tests.browser.conftest import Serving
from tests.browser.visits import Visits
from tests.browser.wallet import Wallet
from tests.kit.ground import FRIEND, done
from tests.kit.office import CLERK, TREASURER, Office, office, pay
from tests.launch.town import sign_in

pytestmark = pytest.mark.browser
NIGHTLY = [pytest.param(path, marks=pytest.mark.nightly) for path in ("/kit", "/kit/acts/{given}")]
PAGES = ("/kit/wallet?book=agent", "/kit/journal?book=agent", "/kit/approvals", *NIGHTLY)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office that tests only look at."""
    with office(tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.fixture(scope="module")
def site(held: Office, serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> str:
    return serving(held.app(tmp_path_factory.mktemp("home")))


@pytest.fixture
def fresh(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str]]:
    """An office of the test's own, and where it is served."""
    with office(tmp_path_factory.mktemp("fresh")) as made:
        yield made, serving(made.app(tmp_path_factory.mktemp("home")))


def session(address: str, key: Key = TREASURER) -> dict[str, str]:
    """Returns the headers of whoever is signed in."""
    with httpx.Client(base_url=address, timeout=60) as client:
        sign_in(client, key)
        return {"cookie": f"{COOKIE}={client.cookies[COOKIE]}"}


def known(address: str, key: Key = TREASURER) -> Callable[[Page], None]:
    """Returns what signs a page in before it goes anywhere."""
    value = session(address, key)["cookie"].partition("=")[2]
    return lambda page: page.context.add_cookies([{"name": COOKIE, "value": value, "url": address}])


class Known(Visits):
    """Visits of somebody who is signed in."""

    def __init__(self, visits: Visits, prepare: Callable[[Page], None]) -> None:
        super().__init__(visits.browser, visits.axe, visits.loop)
        self._prepare = prepare

    def open(self, url, look="light", prepare=lambda page: None, until="networkidle", **more):
        return super().open(url, look, self._prepare, until, **more)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_kit_meets_the_standard(visits: Visits, site: str, held: Office, path: str) -> None:
    Known(visits, known(site)).check(site + path.format(**held.acts))


def test_the_door_meets_the_standard(visits: Visits, site: str) -> None:
    visits.check(site + "/kit")


@pytest.mark.parametrize("path", [*PAGES[:2], *NIGHTLY])
def test_nothing_moves_while_a_page_loads(visits: Visits, site: str, held: Office, path: str) -> None:
    with visits.open(site + path.format(**held.acts), prepare=known(site)) as visit:
        moved = visit.page.evaluate("""() => new Promise((told) => new PerformanceObserver((list) =>
            told(list.getEntries().reduce((sum, entry) => sum + entry.value, 0))
        ).observe({ type: "layout-shift", buffered: true }) || setTimeout(() => told(0), 300))""")

    assert moved < 0.01


def test_an_operator_signs_in_approves_by_keyboard_and_freezes(visits: Visits, fresh: tuple[Office, str]) -> None:
    made, address = fresh
    with (
        Facade(made.town.chain, 0, accounts=ACCOUNTS) as node,
        visits.open(address + "/kit", prepare=Wallet(TREASURER, node.url)) as visit,
    ):
        page = visit.page
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Approvals").click()
        page.get_by_role("button", name="Approve transfer").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"signed in as {TREASURER.address}")).to_be_visible()
        page.get_by_label("Why").fill("looks odd")
        page.get_by_role("button", name="Freeze agent").press("Space")
        expect(page.get_by_role("alert")).to_contain_text("Frozen")

    assert made.kit.ledger.act(made.acts["asked"]).state is State.AGREED
    assert made.kit.ledger.book("agent").frozen
    assert visit.complaints == []


def test_an_approval_needs_no_script(visits: Visits, fresh: tuple[Office, str]) -> None:
    made, address = fresh
    with visits.open(address + "/kit/approvals", prepare=known(address), java_script_enabled=False) as visit:
        visit.page.get_by_role("button", name="Approve transfer").click()
        expect(visit.page.get_by_role("button", name="Approve transfer")).to_have_count(0)
        said = visit.page.inner_text("main")

    assert f"Approved by treasurer, signed in as {TREASURER.address}" in said
    assert made.kit.ledger.act(made.acts["asked"]).state is State.AGREED


def test_an_open_journal_shows_new_acts_by_itself(visits: Visits, fresh: tuple[Office, str]) -> None:
    made, address = fresh
    with visits.open(address + "/kit/journal?book=agent", prepare=known(address, CLERK)) as visit:
        expect(visit.page.locator("live-status")).to_have_attribute("data-status", "live")
        before = visit.page.locator(".acts > li").count()
        act = done(made.kit, "transfer", pay(made.town, FRIEND, 3))
        expect(visit.page.locator(".acts > li")).to_have_count(before + 1)
        expect(visit.page.locator(f'a[href="/kit/acts/{act.id}"]')).to_be_visible()

    assert visit.complaints == []


def test_a_reason_that_is_half_written_is_kept_while_the_wallet_comes_anew(
    visits: Visits, fresh: tuple[Office, str]
) -> None:
    made, address = fresh
    with visits.open(address + "/kit/wallet?book=agent", prepare=known(address, CLERK)) as visit:
        page = visit.page
        expect(page.locator("live-status")).to_have_attribute("data-status", "live")
        page.get_by_label("Why").fill("because it")
        done(made.kit, "transfer", pay(made.town, FRIEND, 3))
        expect(page.get_by_text("43 USD used or reserved, 157 USD left")).to_be_visible()
        kept = page.get_by_label("Why").input_value()

    assert kept == "because it"
    assert visit.complaints == []


def test_the_queue_says_that_it_changed_and_moves_no_button(visits: Visits, fresh: tuple[Office, str]) -> None:
    made, address = fresh
    with visits.open(address + "/kit/approvals", prepare=known(address)) as visit:
        page = visit.page
        expect(page.locator("live-status")).to_have_attribute("data-status", "live")
        acts = page.locator(".asked h2 a").evaluate_all("links => links.map((link) => link.href)")
        done(made.kit, "transfer", pay(made.town, FRIEND, 55))
        expect(page.get_by_text("The queue has changed.")).to_be_visible()
        after = page.locator(".asked h2 a").evaluate_all("links => links.map((link) => link.href)")
        page.get_by_role("link", name="Show it as it is now").click()
        expect(page.locator(".asked")).to_have_count(len(acts) + 1)

    assert after == acts
    assert visit.complaints == []


def test_a_note_and_a_token_with_markup_make_no_element(visits: Visits, site: str, held: Office) -> None:
    with visits.open(site + "/kit/wallet?book=agent", prepare=known(site)) as visit:
        said = visit.page.locator("q.outside").all_inner_texts()
        bold = visit.page.locator("q.outside *").count()
        visit.page.goto(site + "/kit/journal?book=agent")
        scripts = visit.page.locator("main script, q.outside *").count()

    assert said == ["<b>pay me</b>"]
    assert (bold, scripts) == (0, 0)
    assert visit.complaints == []
