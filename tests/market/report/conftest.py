from datetime import timedelta

import pytest

from mercato.market.report.reporting import refresh, weekly
from tests.market.simulated import UNTIL, fill, market


@pytest.fixture(scope="package")
def filled(tmp_path_factory):
    """A market with made-up data and a weekly report of the week before."""
    folder = tmp_path_factory.mktemp("market")
    made = market(folder)
    fill(made, folder)
    weekly(made, UNTIL - timedelta(days=7))
    yield made
    made.store.close()


@pytest.fixture(scope="package")
def snapshot(filled):
    """The snapshot of the newest day of the made-up market."""
    return refresh(filled, UNTIL)
