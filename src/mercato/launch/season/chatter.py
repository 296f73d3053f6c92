"""What people of the season post about: made-up posts, so that the page of mindshare has something to weigh."""

from __future__ import annotations

from datetime import UTC, datetime

from mercato.launch.season.plan import Plan
from mercato.market.connectors.documents import jsonl
from mercato.market.connectors.narratives import CURRENT
from mercato.market.example import documents_jsonl
from mercato.market.model import RawDocument

DAYS = 28


def posts(plan: Plan, source: str) -> RawDocument:
    """Returns the posts of the season's last weeks, up to the day before it ends, as one document."""
    end = datetime.fromtimestamp(plan.end, UTC)
    until = datetime.fromtimestamp(plan.end // 86_400 * 86_400 - 1, UTC).date()
    return RawDocument(
        content="".join(documents_jsonl(until, DAYS, plan.seed)).encode(),
        source=source,
        parser=jsonl.PARSER,
        observed_at=end,
        request=f"posts of the simulated season {plan.seed}",
        media_type="application/x-ndjson",
        licence="made up",
        options={"classifier": CURRENT},
    )
