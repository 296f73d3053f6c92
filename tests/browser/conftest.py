"""A real Chromium and a real server on loopback. `visits` and `serving` are what page tests of any room use."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import expect, sync_playwright

from mercato import web
from mercato.api.testing import serve
from mercato.app import SECTIONS, create_app, open_store
from mercato.core.settings import load
from mercato.store import Store
from mercato.web.testing import gallery
from tests.browser.visits import FLAGS, ROOT, Visits, axe_source, running
from tests.conftest import CHROMIUM

Serving = Callable[[FastAPI], str]


@pytest.fixture(scope="package")
def visits() -> Iterator[Visits]:
    """A Chromium for the tests of this package, with axe at hand."""
    from deno import find_deno_bin

    path = os.environ.get("MERCATO_CHROMIUM") or next(found for name in CHROMIUM if (found := shutil.which(name)))
    expect.set_options(timeout=60_000)  # a busy machine is no reason to fail
    axe = axe_source(find_deno_bin(), ROOT / ".cache" / "axe")
    with sync_playwright() as playwright:
        loop = asyncio.get_running_loop()
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        with running(None):
            yield Visits(browser, axe, loop)
        browser.close()


@pytest.fixture(scope="package")
def serving() -> Iterator[Serving]:
    """Serves applications until the tests of this package end: call it with one, get its address."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serve(app))


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A migrated store in a folder of its own."""
    with opened(tmp_path_factory.mktemp("store")) as made:
        yield made


@pytest.fixture(scope="package")
def address(serving: Serving, store: Store) -> str:
    """Where the component gallery is served."""
    app = create_app(load(*SECTIONS, home=Path(str(store.url.database)).parent), store, ())
    links = [web.Link("/gallery", "Gallery"), web.Link("/api", "API")]
    app.include_router(gallery(web.Site(nav=links, version="0")))
    return serving(app)


def opened(home: Path) -> AbstractContextManager[Store]:
    """Returns a store in a folder, closed at the end of the block."""

    @contextmanager
    def block() -> Iterator[Store]:
        made = open_store(load(*SECTIONS, home=home))
        yield made
        made.close()

    return block()
