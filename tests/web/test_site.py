from __future__ import annotations

from collections.abc import Iterator

import httpx
import jinja2
import pytest
from fastapi import FastAPI

from mercato.api.testing import serve
from mercato.web import Link, PageMiddleware, Site, router
from mercato.web.assets import Assets
from mercato.web.page import theme
from mercato.web.site import fill
from mercato.web.testing import gallery

PAGE = Assets().url("page.js")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    site = Site(nav=[Link("/gallery", "Gallery"), Link("/chains", "Chains")], version="9.9", figures="/figs")
    app = FastAPI()
    app.include_router(gallery(site))
    operation = {
        "method": "GET",
        "path": "/api/x",
        "summary": "Read x",
        "parameters": [{"name": "day", "in": "query", "required": True}],
    }
    app.include_router(router(site, lambda: [operation]))
    app.add_middleware(PageMiddleware)
    with serve(app) as address, httpx.Client(base_url=address) as made:
        yield made


def test_values_are_escaped(client: httpx.Client) -> None:
    page = client.get("/gallery").text

    assert "&lt;b&gt;Delta&lt;/b&gt;" in page
    assert "<b>Delta" not in page


def test_pages_have_no_inline_style_and_no_inline_script(client: httpx.Client) -> None:
    page = client.get("/gallery").text

    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count('<script type="application/json">') + page.count(
        '<script type="module" src='
    )


def test_the_navigation_marks_the_page_one_is_on(client: httpx.Client) -> None:
    page = client.get("/gallery").text

    assert '<a href="/gallery" aria-current="page">Gallery</a>' in page
    assert '<a href="/chains">Chains</a>' in page


def test_a_figure_leads_to_where_its_room_shows_it(client: httpx.Client) -> None:
    assert 'href="/figs/fig_aaaaaaaaaaaaaaaa"' in client.get("/gallery").text


def test_an_unknown_value_is_called_unknown_and_its_flags_are_said(client: httpx.Client) -> None:
    page = client.get("/gallery").text

    assert '<span class="value unknown">unknown</span>' in page
    assert '<span class="badge provisional">provisional</span>' in page


def test_an_unknown_name_in_a_template_raises() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Site().text("web/gallery.html")


def test_the_start_leads_to_the_first_page_of_the_navigation(client: httpx.Client) -> None:
    answer = client.get("/")

    assert (answer.status_code, answer.headers["location"]) == (307, "/gallery")


def test_the_page_of_the_api_lists_its_operations(client: httpx.Client) -> None:
    page = client.get("/api").text

    assert "GET /api/x" in page
    assert "<code>day</code>" in page


@pytest.mark.parametrize(
    ("cookies", "said"),
    [
        ("mercato-theme=dark", "dark"),
        ("a=b; mercato-theme=light", "light"),
        ('mercato-theme="><script>', ""),
        ("mercato-theme=blue", ""),
        ("", ""),
        ("\x00=;;==", ""),
    ],
)
def test_a_theme_is_light_or_dark_or_that_of_the_system(cookies: str, said: str) -> None:
    assert theme(cookies) == said


def test_the_chosen_theme_is_set_and_one_returns_to_the_page(client: httpx.Client) -> None:
    back = str(client.base_url).rstrip("/") + "/gallery?order=asc"
    answer = client.post("/theme", data={"theme": "dark"}, headers={"referer": back})
    page = client.get("/gallery", headers={"cookie": answer.headers["set-cookie"].split(";")[0]}).text

    assert (answer.status_code, answer.headers["location"]) == (303, "/gallery?order=asc")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert '<html lang="en" data-theme="dark">' in page


@pytest.mark.parametrize("referer", ["https://evil.example/x", "//evil.example", "", "javascript:alert(1)"])
def test_the_theme_never_leads_to_another_site(client: httpx.Client, referer: str) -> None:
    answer = client.post("/theme", data={"theme": "light"}, headers={"referer": referer})

    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    ("row", "link"),
    [(("BTC", "x"), "/t/BTC?n=x"), (("../a b", '"><'), "/t/..%2Fa%20b?n=%22%3E%3C"), ((None, None), "/t/?n=")],
)
def test_links_of_a_table_are_quoted(row: tuple[str | None, ...], link: str) -> None:
    assert fill("/t/{symbol}?n={name}", ("symbol", "name"), row) == link
