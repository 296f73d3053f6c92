"""The compute room's settings. Prices are whole micro-dollars for a million tokens: 200000 is $0.20."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mercato.core.settings import Operators, Secret, Section

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
#: A thousand dollars for each token, and more than any model reads: the books take no larger numbers.
MOST_PRICE, MOST_CONTEXT = 10**15, 10**9
#: Names of models that can be asked for: what other characters look like differs from reader to reader.
MODEL = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")
_MEASURED = "^[0-9a-f]{96}$"


class Listed(BaseModel):
    """A model that an upstream serves. `upstream` is its name there, where it has another; `features` are such as
    `tools`, `json_schema`, `embeddings`, `logprobs`, `vision`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    prompt: int = Field(ge=0, le=MOST_PRICE)
    completion: int = Field(0, ge=0, le=MOST_PRICE)
    cached: int | None = Field(None, ge=0, le=MOST_PRICE)
    context: int = Field(8192, ge=1, le=MOST_CONTEXT)
    upstream: str = Field("", max_length=200)
    features: frozenset[str] = frozenset()
    quant: str = ""
    concurrency: int = Field(16, ge=1)
    tokenizer: str = ""


class Software(BaseModel):
    """What may run in a trusted machine: measurements of its firmware (`mrtd`), of what that started (`rtmr0` to
    `rtmr2`), and of the application, by `rtmr3` or `config` (MRCONFIGID); SHA-384 as hexadecimal.
    `models` are those of ours that it serves; any upstream's where it is empty, and no node's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    mrtd: str = Field(pattern=_MEASURED)
    rtmr0: str = Field(pattern=_MEASURED)
    rtmr1: str = Field(pattern=_MEASURED)
    rtmr2: str = Field(pattern=_MEASURED)
    rtmr3: str = Field("", pattern=f"{_MEASURED}|^$")
    config: str = Field("", pattern=f"{_MEASURED}|^$")
    models: frozenset[str] = frozenset()

    @model_validator(mode="after")
    def _names_an_application(self) -> Self:
        if not (self.rtmr3 or self.config):
            raise ValueError("software had neither rtmr3 nor config: firmware alone says nothing of what answers")
        return self


class Enclave(BaseModel):
    """What an upstream in a trusted machine is asked, below its address: `report` for its attestation, `signature` for
    the signature of an answer, "" where it signs none. `signing` is the algorithm of its key. `software` names those of
    the accepted software that it may run; all where it is empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    report: str = Field("/attestation/report", pattern="^/[!-~]{0,200}$")
    signature: str = Field("/signature", pattern="^(/[!-~]{0,200})?$")
    signing: Literal["ecdsa", "ed25519"] = "ecdsa"
    software: frozenset[str] = frozenset()


class Attesting(BaseModel):
    """How trusted machines are checked. `pccs` is a server of collateral, "" for none; what it says is kept in the
    folder `collateral` of the data folder, where files may also be put by hand. `private` allows it an address that is
    not public. `statuses` and `advisories` of a platform are taken that stand here, and `software` by its name.

    Everybody is checked each so many `minutes`; what was found is taken for `hold` minutes. `nodes` is the algorithm of
    the keys of nodes that say they are in trusted machines; where it is "off", they are not asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    pccs: str = Field("", pattern="^(https?://[^/?#@]+(/[^?#]*)?)?$")
    private: bool = False
    root_crl: str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
    statuses: frozenset[str] = frozenset({"UpToDate"})
    advisories: frozenset[str] = frozenset()
    software: dict[str, Software] = Field(default_factory=dict)
    minutes: int = Field(30, ge=1, le=1440)
    hold: int = Field(90, ge=2, le=10_080)
    nodes: Literal["off", "ecdsa", "ed25519"] = "off"


class Upstream(BaseModel):
    """An endpoint with OpenAI's API: its address up to and with `/v1`, the key it wants, and what it serves.

    `private` allows an address that is not public, such as 127.0.0.1. `zdr` says that it keeps no prompts. `tee` says
    that it is in a trusted machine, which it has to prove.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    url: str
    key: Secret = Secret("")
    models: dict[str, Listed] = {}
    private: bool = False
    region: str = ""
    zdr: bool = False
    tee: Enclave | None = None

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise ValueError("expected an address such as https://host/v1, without a password or query")
        return value.rstrip("/")

    @field_validator("models")
    @classmethod
    def _can_be_asked_for(cls, value: dict[str, Listed]) -> dict[str, Listed]:
        for name in value:
            if not MODEL.fullmatch(name):
                raise ValueError(f"model's name was {name[:80]!r}: use 1 to 200 ASCII characters; `upstream` takes any")
        return value


class Spec(BaseModel):
    """How a model should be served: its context, the SHA-256 of all weights, tokenizers and chat templates that are
    right, the quantisation, parameters of the engine, and features that an offer must have. What is not given is not
    asked of a node; what a node does not tell is let pass unless `strict`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    context: int = Field(ge=1)
    weights: tuple[Hash, ...] = ()
    tokenizer: tuple[Hash, ...] = ()
    template: tuple[Hash, ...] = ()
    quant: str = ""
    engine: dict[str, str] = {}
    strict: bool = False
    features: frozenset[str] = frozenset()


class Auditing(BaseModel):
    """How answers are verified. `checker` names the trusted upstream that judges, "" for none: then nothing is.

    `alpha` is the chance that an honest provider is ejected within `horizon` audits. `honest` bounds the share of an
    honest provider's answers that fail, `rate` and `alike` say how its tokens differ from the reference's: measure them
    with an upstream that is honest for sure. `apart` is how far an honest vector may be from the reference's, as
    1 - cosine. `least` is the smallest share of answers that is audited. `states` names the upstream that tells last
    hidden states, by which commitments are opened, "" for none; `exponents`, `mantissa_mean` and `mantissa_median` are
    what these may differ by.
    `canaries` asks each provider so often in an hour about each of its models, as the user of the key `canary_key`;
    `canary_file`, relative to the data folder, has questions whose answers are known. `witnesses` says whose questions
    are evidence: everybody's, or the canaries' only, where users may be a provider's rivals.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    checker: str = ""
    alpha: float = Field(1e-3, gt=0, lt=1)
    horizon: int = Field(100_000, ge=1)
    honest: float = Field(0.02, gt=0, lt=0.08)
    rate: float = Field(0.022, gt=0, lt=0.5)
    alike: float = Field(0.008, ge=0, lt=1)
    apart: float = Field(0.02, gt=0, lt=1)
    least: float = Field(0.03, gt=0, le=1)
    states: str = ""
    exponents: int = Field(38, ge=0, le=128)
    mantissa_mean: float = Field(10.0, ge=0, le=128)
    mantissa_median: float = Field(8.0, ge=0, le=128)
    canaries: int = Field(0, ge=0, le=3600)
    canary_key: Secret = Secret("")
    canary_file: str = ""
    witnesses: Literal["all", "canaries"] = "all"


class ComputeSettings(Section):
    """Where the gateway listens, whom it asks, and how much of anything it takes.

    `admin` is where the admin plane listens: HOST:PORT, or a Unix socket relative to the data folder; "" for none.
    `unknown` says what happens to parameters that we do not know: `pass` hands them on, `deny` refuses the request.
    Times are in seconds, sizes in octets; `bodies_octets` bounds what one worker holds of all large requests together.
    `messages` bounds their number in one request, `choices` the answers that one
    request may ask for, and `hedge` says whether one may ask for a second provider beside a slow one. `tokenizer` files
    of models are read relative to the data folder. A client has `head_seconds` for a request's head, `reading_seconds`
    for its body, and `sending_seconds` to take each part of an answer; after `beat_seconds` without an event it gets a
    sign of life.

    `nodes` says whose nodes may dial in: nobody's, those of keys that were approved, or anyone's, on trial. `names` are
    the host names, with a port where it is not 443, that nodes call this gateway by; `node_seconds` lie between two
    pings. `specs` say how models should be served, by whoever offers them.

    `operators` are the people who may see receipts and spend in a browser and turn the kill switch there: a name for
    each, with the account that they sign in with. Nobody may where it is empty.
    """

    name: ClassVar[str] = "compute"
    host: str = "127.0.0.1"
    port: int = Field(8600, ge=0, le=65535)
    workers: int = Field(1, ge=1, le=64)
    admin: str = "compute.sock"
    operators: Operators = Field(default_factory=dict)
    upstreams: dict[str, Upstream] = Field(default_factory=dict)
    audit: Auditing = Auditing()
    tee: Attesting = Attesting()
    nodes: Literal["off", "approved", "anyone"] = "approved"
    names: tuple[str, ...] = ()
    node_seconds: float = Field(20.0, ge=0.1, le=300)
    specs: dict[str, Spec] = Field(default_factory=dict)
    unknown: Literal["pass", "deny"] = "pass"

    connect_seconds: float = Field(5.0, gt=0, le=60)
    first_seconds: float = Field(60.0, gt=0, le=3600)
    idle_seconds: float = Field(30.0, gt=0, le=3600)
    total_seconds: float = Field(600.0, gt=0, le=7200)
    head_seconds: float = Field(10.0, gt=0, le=600)
    reading_seconds: float = Field(20.0, gt=0, le=600)
    sending_seconds: float = Field(30.0, gt=0, le=600)
    beat_seconds: float = Field(15.0, gt=0, le=60)

    head_octets: int = Field(32 * 1024, ge=4096, le=1 << 20)
    body_octets: int = Field(40_000_000, ge=1024, le=1 << 30)
    bodies_octets: int = Field(256 << 20, ge=1024)
    answer_octets: int = Field(64 * 1024 * 1024, ge=1024, le=1 << 30)
    messages: int = Field(10_000, ge=1)
    choices: int = Field(16, ge=1, le=1024)
    depth: int = Field(64, ge=8, le=512)
    requests: int = Field(2_000, ge=1)
    attempts: int = Field(3, ge=1, le=10)
    hedge: bool = True

    @field_validator("upstreams")
    @classmethod
    def _are_named(cls, value: dict[str, Upstream]) -> dict[str, Upstream]:
        for name in value:
            if not _NAME.fullmatch(name):
                raise ValueError(f"upstream's name was {name!r}: use lower-case letters, digits, '.', '_' and '-'")
        return value

    @model_validator(mode="after")
    def _knows_what_it_accepts(self) -> Self:
        for name, upstream in self.upstreams.items():
            if unknown := (upstream.tee.software if upstream.tee else frozenset[str]()) - set(self.tee.software):
                raise ValueError(
                    f"software of {name!r} was {sorted(unknown)}: name some of {sorted(self.tee.software)}"
                )
        if self.tee.hold <= self.tee.minutes:
            raise ValueError(f"hold was {self.tee.hold} minutes: more than minutes, {self.tee.minutes}, is needed")
        return self

    @model_validator(mode="after")
    def _has_its_checker(self) -> Self:
        for what, name in (("checker", self.audit.checker), ("states", self.audit.states)):
            if name and name not in self.upstreams:
                raise ValueError(f"{what} was {name!r}: name one of {sorted(self.upstreams)}")
        asks = self.audit.canaries or self.audit.witnesses == "canaries"
        if asks and not (self.audit.canary_key and (self.audit.checker or self.audit.canary_file)):
            raise ValueError("canaries were asked for without canary_key, and a checker or a canary_file: name them")
        return self
