"""Settings of a gateway that accepts what the made-up maker's machines run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mercato.compute.fleet.confidential import Confidential, Vault
from mercato.compute.settings import Attesting, ComputeSettings, Enclave, Listed, Software, Upstream
from mercato.compute.tee.testing import Machine
from mercato.core.clock import HandClock

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KNOWN = Machine()
ACCEPTED = Software(
    mrtd=KNOWN.mrtd.hex(), rtmr0=KNOWN.rtmr[0].hex(), rtmr1=KNOWN.rtmr[1].hex(), rtmr2=KNOWN.rtmr[2].hex(),
    rtmr3=KNOWN.rtmr[3].hex(),
)  # fmt: skip
LATER = timedelta(minutes=31)


def clock() -> HandClock:
    return HandClock(NOW)


def settings(
    one: Confidential, vault: Vault | None = None, *, enclave: Enclave | None = None, **wanted: Any
) -> ComputeSettings:  # fmt: skip
    """Says that the stub `safe` is in a trusted machine, and where collateral is to be had."""
    tee = Attesting(**{
        "pccs": vault.url if vault else "", "private": True, "software": {"house-1": ACCEPTED}, **wanted
    })  # fmt: skip
    upstream = Upstream(
        url=one.url, private=True, models={"toy": Listed(prompt=1, completion=1)},
        tee=enclave or Enclave(signing="ed25519" if one.algorithm == "ed25519" else "ecdsa"),
    )  # fmt: skip
    return ComputeSettings(upstreams={"safe": upstream}, tee=tee, admin="")
