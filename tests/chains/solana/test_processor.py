"""Programs run apart: what their machine code leaves in the processor reaches no number of ours."""

from __future__ import annotations

import duckdb

from mercato.chains.solana.testing import issue, keys, local

ASKED = "SELECT CAST(x AS DECIMAL(38, 12)) FROM (SELECT i::DOUBLE + 1 AS x FROM range(3) rows(i))"


def test_a_token_made_on_the_cluster_changes_no_sum_of_the_database() -> None:
    cluster, ann = local(), keys()[0]
    with duckdb.connect(config={"threads": 1}) as database:
        before = database.execute(ASKED).fetchall()
        issue(cluster, ann, 5)

        assert database.execute(ASKED).fetchall() == before
