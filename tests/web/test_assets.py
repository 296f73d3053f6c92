from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import zstandard
from fastapi import FastAPI

from mercato.api.testing import serve
from mercato.web import Site, router
from mercato.web.assets import Assets

UNPACK: dict[str | None, Callable[[bytes], bytes]] = {
    "zstd": zstandard.decompress,
    "gzip": gzip.decompress,
    None: bytes,
}
STYLE = "body { color: red }\n" * 50


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    (tmp_path / "app.css").write_text(STYLE)
    (tmp_path / "plot-ABCD2345.js").write_text("export {}")
    (tmp_path / "mark.png").write_bytes(b"\x89PNG")
    return Assets(tmp_path)


@pytest.fixture
def client(assets: Assets) -> Iterator[httpx.Client]:
    app = FastAPI()
    app.include_router(router(Site(assets=assets)))
    with serve(app) as address, httpx.Client(base_url=address) as made:
        yield made


def test_a_file_is_kept_for_a_year_under_the_name_of_its_content(assets: Assets, client: httpx.Client) -> None:
    answer = client.get(assets.url("app.css"))

    assert answer.text == STYLE
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")


def test_a_new_content_has_a_new_name(assets: Assets, tmp_path: Path) -> None:
    before = assets.url("app.css")
    (tmp_path / "app.css").write_text(STYLE + "p {}")

    assert Assets(tmp_path).url("app.css") != before


@pytest.mark.parametrize(("accepted", "sent"), [("gzip, zstd", "zstd"), ("gzip", "gzip"), ("identity", None)])
def test_a_file_is_compressed_as_the_browser_likes(
    assets: Assets, client: httpx.Client, accepted: str, sent: str | None
) -> None:
    with client.stream("GET", assets.url("app.css"), headers={"accept-encoding": accepted}) as answer:
        raw = b"".join(answer.iter_raw())
    unpack = UNPACK[sent]

    assert answer.headers.get("content-encoding") == sent
    assert unpack(raw).decode() == STYLE
    assert answer.headers["vary"] == "Accept-Encoding"


def test_pictures_are_sent_as_they_are(assets: Assets, client: httpx.Client) -> None:
    assert "content-encoding" not in client.get(assets.url("mark.png")).headers


def test_a_plain_name_is_asked_for_again_and_not_sent_twice(client: httpx.Client) -> None:
    first = client.get("/static/app.css")
    again = client.get("/static/app.css", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")


def test_a_chunk_that_the_bundler_named_is_kept_for_a_year(client: httpx.Client) -> None:
    assert "immutable" in client.get("/static/plot-ABCD2345.js").headers["cache-control"]


@pytest.mark.parametrize("name", ["absent.css", "..%2Fsite.py", "app.000000000000.css"])
def test_nothing_else_is_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_folder_that_was_not_built_leaves_pages_as_plain_text(tmp_path: Path) -> None:
    site = Site(assets=Assets(tmp_path / "absent"))

    page = site.text("web/start.html")

    assert "/static/" not in page
    assert "No pages yet" in page
