"""The gateway remembers its nodes in SQLite and in PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mercato.compute import roster
from mercato.compute.books import disputes, epochs
from mercato.compute.books.receipts import Signer
from mercato.compute.books.till import Till
from mercato.compute.model import PROVIDERS, ModelSpec, Provider, Standing
from mercato.compute.node import enrolment
from mercato.compute.node.admission import unfit
from mercato.compute.node.attesting import Question, attested
from mercato.compute.node.enrolment import Enrolment, approve
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.node.roll import Stranger
from mercato.compute.slashing import slash
from mercato.core.clock import SystemClock
from mercato.core.errors import Conflict, InvalidInput
from mercato.store.bare import Bare
from mercato.store.testing import sqlite_store
from tests.compute.node.documents import KEY as SIGNER
from tests.compute.node.documents import check, document, offer
from tests.compute.node.test_receipts import receipt

KEY = NodeKey.new().public
WHO = Stranger(KEY, "first", "eu", True)


def _sqlite(folder: Path) -> str:
    store = sqlite_store(folder)
    store.close()
    return store.url.render_as_string()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with all tables and no rows."""
    if request.param == "sqlite":
        yield _sqlite(tmp_path)
    else:
        with request.getfixturevalue("postgres").database() as made:
            yield made


def on(url: str, acts: Callable[[Enrolment], Any], **more: Any) -> Any:
    async def run() -> Any:
        roll = Enrolment(Till(url, SystemClock(), Signer.fresh()), **({"specs": {}} | more))
        try:
            return await acts(roll)
        finally:
            await roll.close()

    return asyncio.run(run())


def test_a_key_that_nobody_approved_stays_out_and_an_approved_one_comes_in(url: str) -> None:
    with pytest.raises(Conflict, match="ask its operator"):
        on(url, lambda roll: roll.arrived(WHO))
    with Bare(url) as bare:
        known = approve(bare, KEY, "", SystemClock())
        assert approve(bare, KEY, "again", SystemClock()) == known

    found = on(url, lambda roll: roll.arrived(WHO))

    assert (found.id, found.standing, found.name) == (known.id, Standing.PENDING, "first")
    assert (found.region, found.zdr) == ("eu", True)


def test_weights_attested_against_ones_own_offer_cost_the_stake_in_the_books(url: str) -> None:
    offers = document(offer("m", weights="a" * 64), key=SIGNER)
    asked = Question("gw.example", "0" * 64, str(offers["signature"]))
    word = attested(SIGNER, asked, {"m": {"weights": "b" * 64}}, SystemClock().now())
    with Bare(url) as bare:
        node = approve(bare, SIGNER.public, "node", SystemClock())
    with Till(url, SystemClock(), Signer.fresh()) as till:
        epochs.stake(till, node.id, 700, name="first")
    with pytest.raises(InvalidInput):
        on(url, lambda roll: roll.contradicted(node.id, offers, offers), slash=slash)
    on(url, lambda roll: roll.contradicted(node.id, offers, word), slash=slash)
    with Bare(url) as bare:
        found, why = roster.one(bare, node.id), roster.history(bare, node.id)[-1].why

    assert found is not None
    assert (found.standing, found.stake) == (Standing.EJECTED, 0)
    assert why == "it attested other weights of 'm' than it offered"
    with pytest.raises(Conflict, match="was ejected"):
        on(url, lambda roll: roll.arrived(Stranger(SIGNER.public, "again", "", False)))


def test_a_node_keeps_the_name_by_which_it_was_approved(url: str) -> None:
    with Bare(url) as bare:
        approve(bare, KEY, "ann", SystemClock())

    assert [on(url, lambda roll: roll.arrived(WHO)).name for _ in range(2)] == ["ann", "ann"]


def test_a_node_never_takes_the_name_of_another(url: str) -> None:
    """Requests and keys choose providers by name: who could take one would get what is meant for its owner."""
    mine, upstream = NodeKey.new().public, PROVIDERS.new()
    with Bare(url) as bare, bare.transaction():
        roster.save(
            bare, Provider(upstream, "trusted", Standing.ACTIVE, url="https://x.example/v1"), SystemClock().now()
        )

    async def come(roll: Enrolment) -> list[str]:
        wanted = ["trusted", f"trusted-{mine[:8]}", upstream, "free", "free"]
        return [
            (await roll.arrived(Stranger(key, name, "", False))).name for key, name in zip(keys, wanted, strict=True)
        ]

    keys = [mine, *(NodeKey.new().public for _ in range(4))]
    names = on(url, come, welcome=True)
    with Bare(url) as bare, bare.transaction():
        roster.save(
            bare, Provider(PROVIDERS.new(), "free", Standing.ACTIVE, url="https://y.example/v1"), SystemClock().now()
        )
        known = [one.name for one in roster.everyone(bare)]

    assert names[0] == f"trusted-{mine[:8]}"
    assert names[1] == f"trusted-{mine[:8]}-{keys[1][:8]}"
    assert names[2] != upstream
    assert names[3:] == ["free", f"free-{keys[4][:8]}"]
    assert len(known) == len(set(known))
    assert f"free-{keys[3][:8]}" in known, "a node gives way to an upstream of the settings"


@pytest.mark.parametrize("key", ["", "short", "Z" * 64, "a" * 65])
def test_only_keys_are_approved(url: str, key: str) -> None:
    with Bare(url) as bare, pytest.raises(InvalidInput, match="key was"):
        approve(bare, key, "", SystemClock())


def test_strangers_are_let_in_where_the_settings_say_so_and_only_so_many(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment, "MOST_PENDING", 2)

    async def come(roll: Enrolment) -> None:
        for number in range(3):
            await roll.arrived(Stranger(NodeKey.new().public, f"n{number}", "", False))

    with pytest.raises(Conflict, match="too many keys"):
        on(url, come, welcome=True)
    with Bare(url) as bare:
        assert roster.count(bare, Standing.PENDING) == 2


def test_a_first_trial_leads_to_probation_once_and_an_ejected_node_stays_out(url: str) -> None:
    async def way(roll: Enrolment) -> list[str]:
        provider = await roll.arrived(WHO)
        stood = [provider, *[await roll.advanced(provider.id) for _ in range(2)]]
        return [one.standing.value for one in stood]

    assert on(url, way, welcome=True) == ["pending", "probation", "probation"]
    with Bare(url) as bare, bare.transaction():
        roster.stand(bare, roster.everyone(bare)[0].id, Standing.EJECTED, SystemClock().now(), "cheated")
    with pytest.raises(Conflict, match="ejected"):
        on(url, lambda roll: roll.arrived(WHO), welcome=True)


def test_offers_replace_those_before_and_hold_as_long_as_they_were_signed_for(url: str) -> None:
    async def way(roll: Enrolment) -> None:
        provider = await roll.arrived(Stranger(SIGNER.public, "first", "", False))
        await roll.advanced(provider.id)
        await roll.offered(provider.id, check(document(offer("a"), offer("b")), provider=provider.id))
        await roll.offered(provider.id, check(document(offer("b")), provider=provider.id))

    on(url, way, welcome=True)
    found = check(document())
    with Bare(url) as bare:
        assert [one.model for _, one in roster.pairs(bare, found.issued)] == ["b"]
        assert roster.pairs(bare, found.until + timedelta(seconds=1)) == []


def test_an_objection_opens_one_dispute_however_often_it_is_repeated(url: str) -> None:
    async def way(roll: Enrolment) -> str:
        provider = await roll.arrived(WHO)
        for _ in range(3):
            await roll.objected(provider.id, receipt(provider=provider.id), "too little")
        return provider.id

    id = on(url, way, welcome=True)
    with Bare(url) as bare:
        assert [one.why for one in disputes.listed(bare, id)] == ["too little"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (None, ""),
        (ModelSpec("toy", 4096), ""),
        (ModelSpec("toy", 4096, weights=("b" * 64,)), "hash of its weights was 'aaaa"),
        (ModelSpec("toy", 4096, tokenizer=("c" * 64,)), "hash of its tokenizer was 'bbbb"),
        (ModelSpec("toy", 4096, tokenizer=("c" * 64, "b" * 64)), ""),
        (ModelSpec("toy", 4096, template=("c" * 64,)), ""),
        (ModelSpec("toy", 4096, template=("c" * 64,), strict=True), "hash of its template was not told, expected cccc"),
        (ModelSpec("toy", 4096, engine={"kv_cache_dtype": "auto"}), "engine's kv_cache_dtype was 'fp8', expected auto"),
        (ModelSpec("toy", 4096, engine={"dtype": "float16"}), ""),
        (ModelSpec("toy", 4096, engine={"dtype": "float16"}, strict=True), "engine's dtype was not told"),
        (ModelSpec("toy", 4096, weights=("b" * 64, "a" * 64)), ""),
        (ModelSpec("toy", 4096, quant="fp8"), "quantisation was 'q4'"),
        (ModelSpec("toy", 4096, features=frozenset({"tools"})), ""),
        (ModelSpec("toy", 4096, features=frozenset({"tools", "toploc"})), "features lacked toploc"),
        (ModelSpec("toy", 2048), "context was 4096"),
    ],
)
def test_an_offer_that_cannot_be_of_the_model_is_not_taken(spec: ModelSpec | None, why: str) -> None:
    engine = (("kv_cache_dtype", "fp8"),)
    found = unfit(offer("toy", weights="a" * 64, tokenizer="b" * 64, quant="q4", engine=engine), spec)

    assert (found == "") is (why == "")
    assert why in found
