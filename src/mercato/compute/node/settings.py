"""The settings of a node, `[node]` in mercato.toml. Prices are whole micro-dollars for a million tokens."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from mercato.core.settings import Secret, Section

HASH, VALUE = "^([0-9a-f]{64})?$", "^[ -~]{1,64}$"


class Served(BaseModel):
    """A model that the node offers. `upstream` is its name there, where it has another; `weights` is the file or folder
    that the upstream serves and `expect` the hash that it must have; without `context`, the upstream is asked.
    Tokenizer and chat template are looked for there too, unless `tokenizer` names another folder or GGUF file, or
    `template` the template's own file; `expect_tokenizer` and `expect_template` are their hashes. `engine` tells
    parameters that change answers, such as `kv_cache_dtype`: nobody else can see them, and they are signed.
    `synced` promises that requests with a seed are drawn as the feature `seed_gumbel_1` says, `tee` that the upstream
    is in a trusted machine and shows what proves it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    prompt: int = Field(ge=0)
    completion: int = Field(ge=0)
    cached: int | None = Field(None, ge=0)
    upstream: str = Field("", max_length=200)
    context: int | None = Field(None, ge=1)
    quant: str = Field("", max_length=32)
    weights: str = ""
    expect: str = Field("", pattern=HASH)
    tokenizer: str = ""
    expect_tokenizer: str = Field("", pattern=HASH)
    template: str = ""
    expect_template: str = Field("", pattern=HASH)
    engine: dict[Annotated[str, Field(pattern="^[a-z0-9_]{1,32}$")], Annotated[str, Field(pattern=VALUE)]] = {}
    synced: bool = False
    tee: bool = False


class NodeSettings(Section):
    """Whom a node dials, what it serves, and how much of it.

    `plain` allows a gateway without TLS that is not on this machine. `zdr` promises that the upstream keeps no prompts.
    `worth_per_day` is in micro-dollars at the offered prices; None is no limit. Times are in seconds.
    """

    name: ClassVar[str] = "node"
    gateways: tuple[str, ...] = ()
    upstream: str = ""
    upstream_key: Secret = Secret("")
    models: dict[str, Served] = Field(default_factory=dict)
    title: str = Field("", max_length=60)
    region: str = Field("", max_length=32)
    zdr: bool = False
    plain: bool = False
    concurrency: int = Field(16, ge=1, le=4096)
    per_minute: int | None = Field(None, ge=1)
    tokens_per_day: int | None = Field(None, ge=1)
    worth_per_day: int | None = Field(None, ge=1)
    drain_seconds: float = Field(60.0, ge=0, le=3600)
    watch_seconds: float = Field(30.0, gt=0, le=3600)
