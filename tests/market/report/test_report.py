import hashlib
import json
import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mercato.core.errors import ConfigError
from mercato.market.report import snapshot as snapshots
from mercato.market.report.book import Book
from mercato.market.report.bundle import grid_csv, write_bundle
from mercato.market.report.compose import compose
from mercato.market.report.document import document, restored
from mercato.market.report.markdown import markdown
from mercato.market.report.plan import last_sunday
from mercato.market.report.reporting import weekly
from mercato.market.report.sentence import require_cited, violations
from mercato.market.report.standalone import standalone
from mercato.market.report.terminal import show
from tests.market.simulated import UNTIL, fill, market

pytestmark = pytest.mark.xdist_group("report")  # one worker fills one market for all of these

SECTIONS = ["size", "change", "flat", "regimes", "drawdown", "dominance", "platforms", "mindshare", "rebounds",
            "builders", "scenarios", "restatement"]  # fmt: skip


class Page(HTMLParser):
    """Collects the text of claims outside and inside of links to figures, and what the page would load."""

    def __init__(self, text):
        super().__init__()
        self.bare, self.linked, self.ids, self.loads, self._open = "", [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given["id"]} if "id" in given else set()
        self.loads += [given[key] for key in ("src", "srcset") if key in given] + [tag] * (tag in {"script", "link"})
        self._open += [(tag, given)]

    def handle_endtag(self, tag):
        self._open = self._open[:-1] if self._open and self._open[-1][0] == tag else self._open

    def handle_data(self, text):
        claim = any(given.get("class") in {"stated", "unknown"} for _, given in self._open)
        link = next((given["href"] for tag, given in self._open if tag == "a" and "href" in given), "")
        self.linked += [link[1:]] if claim and link else []
        self.bare += text if claim and not link else ""


@pytest.fixture(scope="package")
def report(snapshot):
    return snapshot.report


def test_the_report_answers_every_question_in_order(report):
    assert [section.key for section in report.sections] == SECTIONS
    assert all(section.claims for section in report.sections)
    assert all(claim.falsifier for section in report.sections for claim in section.claims)


def test_regimes_say_that_a_later_look_may_move_them_and_what_chance_alone_shows(report):
    (section,) = [section for section in report.sections if section.key == "regimes"]
    said = {claim.key: claim for claim in section.claims}

    assert {claim.state for claim in said.values()} == {"stated"}
    assert all("a later look may move or drop a break" in claim.reason for claim in said.values())
    assert {report.figures[key].name for key in said["regimes.breaks"].figures.values()} == {
        "breaks", "breaks-in-walks", "penalties",
    }  # fmt: skip
    assert "regimes" in [exhibit.grid.name for exhibit in section.exhibits]


def test_no_number_in_any_claim_stands_without_a_figure_that_is_stored(filled, report):
    for section in report.sections:
        for claim in section.claims:
            require_cited(claim.text, claim.figures)
            require_cited(claim.falsifier, claim.figures)

    assert all(filled.figure(figure_id)["id"] == figure_id for figure_id in report.figures)


def test_in_the_rendered_page_every_digit_of_a_claim_is_a_link_to_a_figure_on_it(report):
    page = Page(standalone(report))

    assert not re.search(r"\d", page.bare)
    assert page.linked
    assert set(page.linked) <= page.ids
    assert page.loads == []


def test_the_page_allows_its_own_style_only(report):
    text = unescape(standalone(report))
    style = text.partition("<style>")[2].partition("</style>")[0]

    assert "default-src 'none'" in text
    assert "<script" not in text
    assert " style=" not in text
    assert len(style) > 1000


def test_every_link_of_the_markdown_leads_to_a_figure(report):
    text = markdown(report)
    links = set(re.findall(r"\]\(#(fig_[a-z2-7]+)\)", text))

    assert links
    assert links == set(re.findall(r'<a id="(fig_[a-z2-7]+)">', text))


def test_the_terminal_shows_each_figure_id(report):
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115 - the console keeps it open
    show(report, console)
    text = console.export_text()

    assert all(figure_id in text for figure_id in report.figures)
    console.file.close()


def test_the_document_and_the_snapshot_read_back_the_same(report, snapshot):
    assert restored(json.loads(json.dumps(document(report)))) == report

    body, sha = snapshots.written(report, snapshot.book)
    again = snapshots.read(json.loads(json.dumps(body)), sha)

    assert (again.report, again.book.results) == (report, snapshot.book.results)


def test_without_any_result_nothing_is_stated_and_no_figure_is_made_up():
    empty = compose(Book({}), as_of=date(2025, 2, 14), known_at=datetime(2025, 2, 15, tzinfo=UTC))

    assert empty.empty
    assert empty.figures == {}
    assert all(claim.reason for section in empty.sections for claim in section.claims)
    assert all(not violations(claim.text, ()) for section in empty.sections for claim in section.claims)


def test_the_folder_s_manifest_names_every_file_and_the_manifest_before(report, tmp_path):
    first = write_bundle(report, tmp_path / "a")
    second = write_bundle(report, tmp_path / "b", previous=first)
    said = json.loads(second.read_text())
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in second.parent.iterdir()}

    assert said["previous_manifest_sha256"] == hashlib.sha256(first.read_bytes()).hexdigest()
    assert {name: entry["sha256"] for name, entry in said["files"].items()} == {
        name: digest for name, digest in files.items() if name != "manifest.json"
    }


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen is installed, which signs manifests")
def test_a_manifest_signed_with_a_key_is_verified_by_openssh(report, tmp_path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    path = write_bundle(report, tmp_path / "out", key=key)
    (tmp_path / "allowed").write_text("me " + (tmp_path / "key.pub").read_text())
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "allowed"), "-I", "me", "-n", "mercato-report",
               "-s", f"{path}.sig"]  # fmt: skip

    assert subprocess.run(command, input=path.read_bytes(), capture_output=True).returncode == 0
    assert subprocess.run(command, input=path.read_bytes() + b" ", capture_output=True).returncode != 0

    with pytest.raises(ConfigError, match="refused to sign"):
        write_bundle(report, tmp_path / "out", key=tmp_path / "absent")


def test_csv_holds_exact_values_and_no_formula(snapshot):
    grid = snapshot.book.grid("sector-level", "constituents")
    evil = type(grid)("g", "fig_x", ("name", "v"), ("", "usd"), (("=cmd()", "-1.50"), (None, None)))

    assert grid_csv(evil) == "name,v [usd]\n'=cmd(),-1.50\n,\n"
    assert len(grid_csv(grid).splitlines()) == len(grid.rows) + 1


def test_the_same_knowledge_restates_nothing_and_a_correction_is_found(tmp_path):
    made = market(tmp_path)
    fill(made, tmp_path, days=40)
    before = UNTIL - timedelta(days=7)
    weekly(made, before)
    calm = weekly(made, UNTIL)
    lines = ["asset_id,field,valid_time,value"]
    lines += [f"sim:courtside,supply_onchain,{before - timedelta(days=n)},9e9" for n in range(3)]
    (tmp_path / "fix.csv").write_text("\n".join(lines) + "\n")
    made.import_file(tmp_path / "fix.csv", "correction")
    moved = weekly(made, UNTIL)
    values = {name: item.value for name, item in _restated(moved).items()}

    assert {name: item.value for name, item in _restated(calm).items()}["restated"] == "0"
    assert int(values["restated"]) > 0
    assert float(values["largest"]) > 0.01
    made.store.close()


def _restated(report):
    return {item.name: item for item in report.figures.values() if item.metric == "restatement"}


@given(st.integers(0, 3650 * 24))
def test_the_last_sunday_has_closed_and_is_at_most_a_week_old(hours):
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    day = last_sunday(now)
    close = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)

    assert day.weekday() == 6
    assert timedelta(0) <= now - close < timedelta(days=7)
