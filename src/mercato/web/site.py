"""The site: templates of every room in one environment, and the `render` function that is handed to the rooms.

The seam between a room and the web, from the room's side:

    NAV = (("/", "Overview"), ("/builders", "Builders"))      # pages.py: what the header links to, in order

    def pages(market: Market, render: Render) -> APIRouter:   # pages.py: `Render` is a Protocol of the room's own
        router = APIRouter()

        @router.get("/builders", response_class=HTMLResponse)
        def builders() -> Response:
            return render("market/builders.html", result=market.metric("developers", Query(...)))

        return router

Templates live in `mercato/<room>/templates/` and are named `<room>/<file>`; each extends `layout.html`, fills the
blocks `title`, `summary` (one sentence for search engines) and `main`, and imports what it needs:

    {% extends "layout.html" %}
    {% import "components.html" as ui %}

Styles of a room's own go to `mercato/<room>/pages.css`; the build appends them to the floor's. There are no inline
styles and no inline scripts: the policy forbids them.

`layout.html` knows the page's path, theme and navigation by itself; `topic` in the context (default: the room's name)
names the live topic that the page listens to. An unknown name in a template raises (StrictUndefined).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from mercato.web import charts, formats
from mercato.web.assets import Assets
from mercato.web.page import current_page


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation: a path of this site and the words that a person reads."""

    path: str
    label: str


class Site:
    """Renders the templates of the floor and of the rooms given, with one navigation."""

    def __init__(
        self,
        rooms: Sequence[str] = (),
        nav: Sequence[Link] = (),
        assets: Assets | None = None,
        version: str = "",
        figures: str = "/figures",
    ) -> None:
        self.notices: list[Callable[[], str]] = []
        self.nav = tuple(nav)
        self.assets = assets or Assets()
        prefixes = {room: PackageLoader(f"mercato.{room}") for room in rooms}
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader("mercato.web"), PrefixLoader(prefixes)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(formats.FILTERS)
        self._environment.globals.update(
            asset=self.assets.url,
            traces=figures,
            fill=fill,
            nav=self.nav,
            notices=self._notices,
            page=current_page,
            series=charts.series,
            spark=charts.spark,
            version=version,
        )

    def _notices(self) -> Markup:
        """Returns what rooms have to say at the head of every page: their own HTML, escaped by their templates."""
        return Markup("".join(say() for say in self.notices))  # noqa: S704 - rendered by our templates, see above

    def render(
        self, template: str, /, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: object
    ) -> HTMLResponse:
        """Returns a page or a fragment. `context` is what the template sees; values are escaped, always."""
        return HTMLResponse(self.text(template, **context), status_code=status, headers=dict(headers or {}))

    def text(self, template: str, /, **context: object) -> str:
        """Returns a rendered template as text, as the live hub sends it."""
        context.setdefault("topic", _topic(template))
        return self._environment.get_template(template).render(context)


def fill(pattern: str, columns: Sequence[str], row: Sequence[str | None]) -> str:
    """Returns a link with `{column}` replaced by the row's value, quoted, so that no value can leave its place."""
    for name, value in zip(columns, row, strict=True):
        pattern = pattern.replace("{" + name + "}", quote(value or "", safe=""))
    return pattern


def _topic(template: str) -> str:
    """Returns what a page listens to: the room of its template; pages of the floor itself listen to nothing."""
    room, slash, _ = template.partition("/")
    return room if slash and room != "web" else ""
