"""Where the API listens, whom it answers, and how much one request may cost."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mercato.core.settings import Section


class ApiSettings(Section):
    """`hosts` are the names that clients may call us by (empty: this machine's own, or any where we listen to all).

    `origins` are other sites whose pages may open the live connection. `log` is `console` or `json`.
    """

    name: ClassVar[str] = "api"
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    body_octets: int = Field(1_000_000, gt=0)
    seconds: float = Field(30.0, gt=0)
    subscribers: int = Field(2000, gt=0)
    log: str = Field("console", pattern="^(console|json)$")
