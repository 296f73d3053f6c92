import re
from contextlib import contextmanager

import httpx
import pytest

from mercato.api.testing import serve
from mercato.app import SECTIONS, Room, create_app
from mercato.core.settings import load
from mercato.market.report.reporting import refresh
from tests.market.simulated import UNTIL, fill, market

pytestmark = pytest.mark.xdist_group("pages")  # one worker fills one market for all of these
PATHS = ["/", "/market", "/market/tokens", "/market/tokens/sim:courtside", "/market/chains", "/market/mindshare",
         "/market/builders", "/market/scenarios", "/market/sources", "/market/alerts", "/market/report"]  # fmt: skip


@contextmanager
def client(made):
    app = create_app(load(*SECTIONS, home=made.home), made.store, (Room("market", made),), worker=False)
    with serve(app) as address, httpx.Client(base_url=address, headers={"accept": "text/html"}, timeout=60) as found:
        yield found
    made.store.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    made = market(folder)
    fill(made, folder)
    refresh(made, UNTIL)
    with client(made) as found:
        yield found


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with client(market(tmp_path_factory.mktemp("empty"))) as found:
        yield found


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_served_as_text(filled, path):
    answer = filled.get(path)

    assert answer.status_code == 200
    assert "<h1>" in answer.text
    assert " style=" not in answer.text


@pytest.mark.parametrize("path", [path for path in PATHS if ":" not in path])
def test_without_data_a_page_says_what_to_do_and_shows_no_amount(empty, path):
    answer = empty.get(path)
    main = answer.text.partition('<main id="main"')[2].partition("</main>")[0]
    shown = re.sub(r"<form.*?</form>|<code>.*?</code>|<table.*?</table>", "", main, flags=re.S)

    assert answer.status_code == 200
    assert not re.search(r"\$\d|\d+(\.\d+)? (%|bn|tn)", shown)


@pytest.mark.parametrize("path", PATHS)
def test_every_page_says_that_its_data_is_made_up(filled, path):
    assert filled.get(path).text.count("<b>Simulated data:</b>") == 1


def test_a_page_without_data_says_nothing_of_made_up_data(empty):
    assert "Simulated data:" not in empty.get("/").text


def test_questions_that_differ_in_a_name_are_left_open_in_one_sentence(filled):
    text = re.sub(r"<[^>]+>", "", filled.get("/market/report").text)

    assert text.count("The size of the AI sector against") == 1
    assert "Alphabet, Amazon, Meta, Microsoft, Nvidia" in text


@pytest.mark.parametrize("path", ["/market/report", "/market/builders", "/market/scenarios"])
def test_sentences_call_assets_by_name(filled, path):
    claims = "".join(re.findall(r'<ul class="claims">.*?</ul>', filled.get(path).text, re.S))

    assert "(made up)" in claims
    assert ">sim:" not in claims


def test_a_token_page_downloads_its_series_and_names_its_sources(filled):
    page = filled.get("/market/tokens/sim:courtside").text
    links = set(re.findall(r'href="(/api/market/metrics/token/[^"]+)"', page))
    answers = [filled.get(link.replace("&amp;", "&")) for link in links]
    figures = re.findall(r'href="(/(?:market/)?figures/fig_[a-z2-7]+)"', page)

    assert len(links) == 1
    assert answers[0].text.splitlines()[0].startswith("day [date],price [usd],cap [usd]")
    assert "file:history.csv" in page
    assert all(filled.get(link, follow_redirects=True).status_code == 200 for link in figures)


def test_a_figure_page_names_the_documents_behind_it(filled):
    link = re.findall(r'class="value" href="(/market/figures/[^"]+)"', filled.get("/").text)[0]

    assert "file:history.csv" in filled.get(link).text


def test_csv_links_of_a_past_day_download_that_day(filled):
    page = filled.get("/market/chains", params={"as_of": "2025-10-20"}).text
    links = sorted(set(re.findall(r'href="(/api/market/grids/[^"]+)"', page)))
    answers = [filled.get(link) for link in links]

    assert links
    assert all("as_of=2025-10-20" in link for link in links)
    assert all(answer.status_code == 200 for answer in answers)


def test_data_without_figures_is_said_to_be_on_its_way(tmp_path):
    made = market(tmp_path)
    fill(made, tmp_path, 5)
    with client(made) as found:
        assert "Figures are on their way" in found.get("/").text


def test_every_number_of_the_overview_leads_to_a_figure_page(filled):
    links = sorted(set(re.findall(r'href="(/market/figures/fig_[a-z2-7]+)"', filled.get("/").text)))
    pages = [filled.get(link) for link in links[:5]]

    assert len(links) > 20
    assert all(page.status_code == 200 and "How it is made" in page.text for page in pages)


def test_every_csv_on_the_overview_downloads(filled):
    links = sorted(set(re.findall(r'href="(/api/market/grids/[^"]+)"', filled.get("/").text)))
    answers = [filled.get(link) for link in links]

    assert links
    assert all(answer.headers["content-type"].startswith("text/csv") for answer in answers)
    assert all(len(answer.text.splitlines()) > 1 for answer in answers)


def test_the_calculator_answers_and_refuses_with_the_field_marked(filled):
    good = filled.get("/market/scenarios", params={"budget": "$1,000", "multiple": "20"})
    bad = filled.get("/market/scenarios", params={"budget": "7", "multiple": "20"})

    assert "would have to go from" in good.text
    assert bad.status_code == 422
    assert 'aria-invalid="true"' in bad.text
    assert 'value="7"' in bad.text


@pytest.mark.parametrize("path", ["/market/tokens/nobody", "/market/figures/fig_aaaaaaaaaaaaaaaa"])
def test_an_unknown_thing_is_not_found(filled, path):
    assert filled.get(path).status_code == 404


def test_the_api_describes_and_answers_what_the_pages_show(filled):
    described = set(filled.get("/openapi.json").json()["paths"])
    report = filled.get("/api/market/report").json()
    figure = next(iter(report["figures"]))

    assert {f"/api/market{path}" for path in ("/metrics/{name}", "/figures/{figure_id}", "/report", "/sources",
            "/quarantine", "/alerts", "/alerts/rules", "/grids/{figure_id}.csv")} <= described  # fmt: skip
    assert filled.get(f"/api/market/figures/{figure}").json()["id"] == figure
    assert filled.get("/api/market/report.html").headers["content-disposition"].startswith("attachment")
    assert filled.get("/api/market/alerts/rules").json()[0]["key"] == "flat-range"
