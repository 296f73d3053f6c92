"""What the compute room does later: it closes epochs, releases earnings, checks trusted machines, clears up.

Each job looks at what is there first, so that any of them may meet, die and start over freely.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from mercato.store.model import Schedule
from mercato.store.run import Run
from mercato.store.worker import Handler

if TYPE_CHECKING:
    from mercato.compute.office.service import Office

RECOVER, EPOCH, RELEASE, FORGET = "compute.recover", "compute.epoch", "compute.release", "compute.forget"
ATTEST = "compute.attest"
SUBSCRIPTIONS: Mapping[str, list[str]] = {}
SCHEDULES = (
    Schedule(RECOVER, RECOVER, every=timedelta(minutes=1)),
    Schedule(EPOCH, EPOCH, every=timedelta(hours=1)),
    Schedule(RELEASE, RELEASE, every=timedelta(hours=1), offset=timedelta(minutes=5)),
    Schedule(ATTEST, ATTEST, every=timedelta(minutes=1), offset=timedelta(seconds=30)),
    Schedule(FORGET, FORGET, every=timedelta(days=1), offset=timedelta(hours=3)),
)


def handlers(office: Office) -> Mapping[str, Handler]:
    """Returns what to do for each kind of job."""
    room = office.room

    def recover(run: Run) -> None:
        room.recover()

    def epoch(run: Run) -> None:
        room.close_epoch()

    def release(run: Run) -> None:
        room.release()

    def forget(run: Run) -> None:
        room.forget()

    def attest(run: Run) -> None:
        room.attest()

    return {RECOVER: recover, EPOCH: epoch, RELEASE: release, FORGET: forget, ATTEST: attest}
