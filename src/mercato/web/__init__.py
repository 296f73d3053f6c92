"""The web floor: one layout, a set of components, static files, and the `render` that every room's pages use.

A room never imports this package. It offers `pages(market, render) -> APIRouter` in its `pages.py`; its templates are
named `<room>/<page>.html`, extend `layout.html` and import `components.html`. See `mercato.web.site` for the seam.
"""

from mercato.web.page import PageMiddleware
from mercato.web.routes import router
from mercato.web.site import Link, Site

__all__ = ["Link", "PageMiddleware", "Site", "router"]
