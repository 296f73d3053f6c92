"""The few SVG elements that charts are made of. Text and attributes are escaped here, once."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from mercato.market.charts.scale import HEIGHT, WIDTH, Scale
from mercato.market.words import tick

TOP = 14
FOOT = 24


def element(name: str, /, *inner: str, **attributes: object) -> Markup:
    """Returns one element; `_` in attribute names is written `-`, `class_` is `class`, None leaves one out."""
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    body = Markup("").join(escape(part) for part in inner)
    return Markup(f"<{name}{pairs}>{body}</{name}>")  # noqa: S704 - every part was escaped above


def chart(about: str, plot: Iterable[str], over: Iterable[str], *, height: float = HEIGHT, kind: str = "") -> Markup:
    """Returns a whole chart: `plot` is stretched to the width, `over` is not; `about` is read to who cannot see it."""
    inner = element(
        "svg", *plot, x=0, y=TOP, width="100%", height=f"{height:g}",
        viewBox=f"0 0 {WIDTH:g} {height:g}", preserveAspectRatio="none", overflow="visible",
    )  # fmt: skip
    return element(
        "svg", inner, *over, class_=f"chart {kind}".strip(), width="100%",
        height=f"{height + TOP + FOOT:g}", role="img", aria_label=about,
    )  # fmt: skip


def grid(scale: Scale, unit: str) -> list[Markup]:
    """Returns the horizontal lines and their words, which stand left of the plot, in the padding of the chart."""
    found: list[Markup] = []
    for value in scale.ticks():
        y = scale.y(value) + TOP
        zero = "grid zero" if value == 0 else "grid"
        found.append(element("line", class_=zero, x1=0, x2="100%", y1=f"{y:g}", y2=f"{y:g}"))
        found.append(element("text", tick(value, unit), class_="tick side", x=-8, y=f"{y + 4:g}", text_anchor="end"))
    return found


def footing(marks: Iterable[tuple[float, str]], height: float = HEIGHT) -> list[Markup]:
    """Returns words under the plot at positions 0 to 1; the ones at the ends stay inside."""
    return [
        element(
            "text", words, class_="tick foot", x=f"{at * 100:.2f}%", y=f"{height + TOP + 17:g}",
            text_anchor="start" if at < 0.02 else "end" if at > 0.98 else "middle",
        )
        for at, words in marks
    ]  # fmt: skip
