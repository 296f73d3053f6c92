"""The job that brings the newest trades of all pools into the market."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from mercato.store.model import Schedule
from mercato.store.worker import Handler

if TYPE_CHECKING:
    from mercato.launch.following.feed import Feed

FOLLOW = "launch.follow"
SUBSCRIPTIONS: Mapping[str, list[str]] = {}
#: Some minutes past the hour, so that a day's last trades are in before its close is measured.
SCHEDULES = (Schedule(FOLLOW, FOLLOW, every=timedelta(hours=1), offset=timedelta(minutes=5)),)


def handlers(feed: Feed) -> Mapping[str, Handler]:
    """Returns what to do for each kind of job."""
    return {FOLLOW: lambda run: feed.follow()}
