from datetime import UTC, date, datetime

import pytest

from mercato.core.clock import HandClock
from mercato.market.report.reporting import weekly
from mercato.market.report.sentence import require_cited
from tests.market.simulated import market

DAYS = [date(2025, 2, 14), date(2025, 11, 3)]

pytestmark = pytest.mark.xdist_group("research-report")


@pytest.fixture(scope="module")
def real(research, tmp_path_factory):
    """A market filled from the research data with the bundle that ships."""
    made = market(tmp_path_factory.mktemp("real"), HandClock(datetime(2025, 11, 20, tzinfo=UTC)))
    made.import_bundle(research, "research")
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def reports(real):
    """The weekly reports of both days."""
    return {day: weekly(real, day) for day in DAYS}


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_report_states_real_figures_that_trace_to_raw_bytes(real, reports, day):
    report = reports[day]
    stated = {claim.key for section in report.sections for claim in section.claims if claim.state == "stated"}
    level = next(item for item in report.figures.values() if (item.metric, item.name) == ("sector-level", "level"))

    for section in report.sections:
        for claim in section.claims:
            require_cited(claim.text, claim.figures)

    assert {"size.level", "size.parts", "change.total", "change.split", "drawdown.level", "dominance.chain-0"} <= stated
    assert {"rebounds.band-all", "platforms.platform-0"} <= stated
    assert float(level.value or 0) > 1e9
    assert real.figure(level.id)["inputs"]["raw"]


def test_the_exposure_of_the_giants_stays_unknown(reports):
    report = reports[DAYS[0]]
    claims = [claim for claim in report.section("size").claims if claim.key.startswith("size.exposure-")]

    assert len(claims) == 5
    assert all(claim.state == "unknown" and "invented number" in claim.reason for claim in claims)
