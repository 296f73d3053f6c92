"""Quotes of Intel TDX, versions 4 and 5: verified up to Intel's root, with collateral that is given.

The cryptography is `dcap-qvl`'s, which holds Intel's root certificate. It is imported where the first quote is read,
and reads no network here: collateral is fetched by our own client, within our own bounds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from mercato.compute.errors import Unproven
from mercato.compute.tee.words import Measured
from mercato.core.errors import ConfigError

T = TypeVar("T")
LEAST_QUOTE, MOST_QUOTE = 1_020, 64 * 1024  # octets: of a head, a report and signatures; certificates come on top
TDX_VERSIONS = (4, 5)


def platform(quote: bytes) -> tuple[str, str]:
    """Returns which platform a quote is of, as collateral is looked up by: FMSPC as 12 hexadecimal digits, and the
    authority, `processor` or `platform`. Unproven where it is no quote of TDX."""
    parsed = _parsed(quote)
    return _told(lambda: (str(parsed.fmspc()).lower(), str(parsed.ca())))


def measured(quote: bytes, collateral: str, now: datetime, *, root: bytes | None = None) -> Measured:
    """Returns what a quote says, once every signature and date holds at `now`; Unproven where one does not, or where
    the machine was started for debugging, so that its operator can read its memory.

    `collateral` is JSON as `dcap-qvl` writes it. `root` is the certificate (DER) that all has to lead to, Intel's where
    none is given: only tests give one.
    """
    library, parsed, second = _library(), _parsed(quote), int(now.timestamp())

    def verified() -> dict[str, Any]:
        given = library.QuoteCollateralV3.from_json(collateral)
        if root is None:
            found = library.verify(quote, given, second)
        else:
            found = library.verify_with_root_ca(quote, given, root, second)
        return dict(json.loads(found.to_json()))

    said = _told(verified)
    report = parsed.report
    return Measured(
        version=parsed.header.version,
        status=str(said["status"]),
        advisories=tuple(map(str, said["advisory_ids"])),
        mrtd=report.mr_td.hex(),
        rtmr=tuple(each.hex() for each in (report.rt_mr0, report.rt_mr1, report.rt_mr2, report.rt_mr3)),
        config=report.mr_config_id.hex(),
        data=bytes(report.report_data),
    )


def _parsed(quote: bytes) -> Any:
    if not LEAST_QUOTE <= len(quote) <= MOST_QUOTE:
        raise Unproven(f"quote had {len(quote)} octets", hint=f"expected {LEAST_QUOTE} to {MOST_QUOTE}")
    found = _told(lambda: _library().parse_quote(quote))
    if not found.is_tdx() or found.header.version not in TDX_VERSIONS:
        kind = f"{found.quote_type()} of version {found.header.version}"
        raise Unproven(f"quote was {kind}", hint="expected TDX of version 4 or 5")
    return found


def _told(ask: Callable[[], T]) -> T:
    """Asks the library; what it finds wrong, in words that a stranger's bytes may have had a part in, becomes ours."""
    try:
        return ask()
    except ValueError as error:
        text = "".join(letter if letter.isprintable() else " " for letter in str(error)[:300])
        raise Unproven(f"quote was refused: {text}", hint="see docs/rooms/compute-tee.md") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # PyO3's word for a bug in Rust, which is no Exception
            raise
        raise Unproven("quote was refused: its reader failed at it", hint="tell who maintains dcap-qvl") from None


def _library() -> Any:
    try:
        import dcap_qvl  # type: ignore[import-untyped]  # it has stubs, and does not say so
    except ImportError:
        raise ConfigError("quotes cannot be verified: dcap-qvl is missing", hint="install mercato[tee]") from None
    return dcap_qvl
