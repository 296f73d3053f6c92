"""The application form: plain fields and one line per thing, made into an application; faults stay at their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mercato.core.errors import InvalidInput
from mercato.launch.application import Allocation, Application
from mercato.launch.views.form import Form
from mercato.launch.words import quote_units

Row = dict[str, object]
PLAIN = ("name", "symbol", "summary", "repository", "commit", "licence", "website", "partner", "grants", "community")
SHARES = ("sale", "liquidity", "team", "partner", "grants", "community")
#: Field -> the parts of each of its lines; a part in brackets may be missing.
LINES: Mapping[str, tuple[str, ...]] = {
    "team": ("name", "role", "[link]"),
    "models": ("name", "provider", "weights"),
    "tools": ("name", "reaches"),
    "sources": ("name", "[evidence]"),
    "milestones": ("title", "share"),
}
_LONGEST = 50


def blank(applicant: str) -> Form:
    """Returns the form as a visitor first sees it: the usual allocation, everything else empty."""
    usual = Allocation().shares()
    return Form(
        {"applicant": applicant, "holders": "50", **{f"share-{name}": _percent(usual[name]) for name in SHARES}}
    )


def application(form: Form, applicant: str) -> Application | None:
    """Returns the application of a form; None with the faults noted. The applicant is whoever is signed in."""
    if not applicant:
        form.fault("applicant", "sign in first: the applicant is the account that is signed in")
    body: dict[str, Any] = {name: form.text(name) for name in PLAIN}
    for name in ("name", "symbol", "summary", "repository", "commit", "licence"):
        if not body[name]:
            form.fault(name, "it was left empty")
    body |= {"applicant": applicant, "team": lines(form, "team"), "tools": lines(form, "tools")}
    body["models"] = [_model(form, row) for row in lines(form, "models")]
    body["milestones"] = [_milestone(form, row) for row in lines(form, "milestones")]
    body["revenue"] = {"sources": lines(form, "sources"), "holders_bps": form.read("holders", points) or 0}
    body["allocation"] = {name: form.read(f"share-{name}", points) or 0 for name in SHARES}
    body["terms"] = {name: str(form.read(name, quote_units) or 0) for name in ("floor", "raise_min")}
    if form.errors:
        return None
    try:
        return Application.of(body)
    except InvalidInput as error:
        form.fault("form", f"{error.message}: {error.hint}")
        return None


def lines(form: Form, name: str) -> Sequence[Row]:
    """Returns one value per line of a field, its parts divided by semicolons; a fault names the line."""
    wanted = LINES[name]
    found: list[Row] = []
    given = [line for line in form.text(name).splitlines() if line.strip()]
    if len(given) > _LONGEST:
        form.fault(name, f"it has {len(given)} lines, at most {_LONGEST}")
        return []
    for number, line in enumerate(given, 1):
        parts = [part.strip() for part in line.split(";")]
        needed = [part for part in wanted if not part.startswith("[")]
        if not len(needed) <= len(parts) <= len(wanted) or not all(parts[: len(needed)]):
            form.fault(name, f"line {number} was {line.strip()[:60]!r}; write: {'; '.join(wanted)}")
            continue
        found.append(dict(zip((part.strip("[]") for part in wanted), parts, strict=False)))
    return found


def points(text: str) -> int:
    """Returns basis points of a percentage that a person wrote, such as `12.5`; InvalidInput else."""
    whole, point, part = text.strip().removesuffix("%").strip().partition(".")
    digits = whole + part
    if not whole or len(part) > 2 or not (digits.isascii() and digits.isdigit()) or (point and not part):
        raise InvalidInput(f"percentage was {text[:40]!r}", hint="write a number from 0 to 100, such as 12.5")
    found = int(whole + part.ljust(2, "0"))
    if found > 10_000:
        raise InvalidInput(f"percentage was {text[:40]!r}", hint="at most 100")
    return found


def _model(form: Form, row: Row) -> Row:
    weights = str(row.pop("weights")).lower()
    if weights not in ("open", "closed"):
        form.fault("models", f"weights were {weights[:40]!r}; write open or closed")
    return {**row, "open_weights": weights == "open"}


def _milestone(form: Form, row: Row) -> Row:
    return {"title": row["title"], "share_bps": _read(form, "milestones", str(row["share"]), points)}


def _read(form: Form, name: str, text: str, reader: Callable[[str], int]) -> int:
    try:
        return reader(text)
    except InvalidInput as error:
        form.fault(name, f"{error.message}: {error.hint}")
        return 0


def _percent(share: int) -> str:
    whole, rest = divmod(share, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else str(whole)
