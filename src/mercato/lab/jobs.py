"""What the room does later: it tries a launch before crowds and attacks, when somebody asked for it on a page."""

from __future__ import annotations

from collections.abc import Mapping

from mercato.lab.service import TRY, Lab
from mercato.store.model import Schedule
from mercato.store.run import Run
from mercato.store.worker import Handler

SUBSCRIPTIONS: Mapping[str, list[str]] = {}
SCHEDULES: tuple[Schedule, ...] = ()


def handlers(lab: Lab) -> Mapping[str, Handler]:
    """Returns what to do for each kind of job."""
    return {TRY: lambda run: tried(lab, run)}


def tried(lab: Lab, run: Run) -> None:
    """Works out what a launch risks; what was worked out before stays."""
    launch = lab.launch(str(run.job.body["launch"]))
    if lab.prospect(launch) is None:
        run.check()
        lab.work_out(launch)
