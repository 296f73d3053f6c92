"""Providers as the store knows them: who they are, where they stand and why, what they offer, and how they fare.

Every function takes an open connection, and those that write are called within its `transaction()`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mercato.compute.books import ledger
from mercato.compute.books.turn import read
from mercato.compute.books.words import micros, moment
from mercato.compute.model import PROVIDERS, Offer, Price, Provider, ProviderId, Receipt, Standing
from mercato.core.errors import NotFound
from mercato.core.events import Json
from mercato.store.bare import Bare, Row

_PROVIDER = """SELECT id, name, standing, url, compute_provider.key, region, zdr, COALESCE(micro, 0)
    FROM compute_provider LEFT JOIN compute_balance ON account = 'provider:' || id || ':stake'"""
_SAVE = """ON CONFLICT (id) DO UPDATE SET name = excluded.name, url = excluded.url, key = excluded.key,
    region = excluded.region, zdr = excluded.zdr, seen_us = excluded.seen_us"""
MOST_NAME = 51  # letters of a name to which the beginning of a key is added
_OFFER = """model, price_prompt, price_completion, price_cached, context, upstream, features, quant, weights,
    concurrency, until_us, signature, tokenizer, template, engine"""


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of a provider's standing: when it came to stand there, and why."""

    standing: Standing
    at: datetime
    why: str


def save(bare: Bare, provider: Provider, now: datetime, why: str = "came") -> Provider:
    """Writes what a provider says of itself. A new one keeps the standing it comes with, a known one its own.

    Its stake is what the ledger holds, whatever the value says. Its name is nobody else's: one that is taken gets the
    beginning of its key. Returns the provider as it stands now.
    """
    provider = _alone(bare, provider)
    row = (
        provider.id, provider.name, provider.standing.value, provider.url, provider.key, provider.region, provider.zdr,
        micros(now),
    )  # fmt: skip
    head = "INSERT INTO compute_provider (id, name, standing, url, key, region, zdr, seen_us)"
    bare.many(head, [row], _SAVE)
    found = one(bare, provider.id)
    assert found is not None, "it was written above"
    if not history(bare, provider.id):
        _note(bare, provider.id, found.standing, now, why)
    return found


def _alone(bare: Bare, provider: Provider) -> Provider:
    """Returns a provider under a name of its own: requests and keys choose by name, so who could take another's would
    be sent what is for that one. Names of upstreams are the operator's, and nodes give way to them."""
    if not provider.key:
        for other in bare.run("SELECT id, key FROM compute_provider WHERE name = ? AND key <> ''", (provider.name,)):
            name = f"{provider.name[:MOST_NAME]}-{other[1][:8]}"
            bare.run("UPDATE compute_provider SET name = ? WHERE id = ?", (name, other[0]))
        return provider
    for name in (provider.name, f"{provider.name[:MOST_NAME]}-{provider.key[:8]}"):
        taken = bare.run("SELECT 1 FROM compute_provider WHERE name = ? AND id <> ?", (name, provider.id))
        if not taken and not name.startswith(f"{PROVIDERS.prefix}_"):
            return replace(provider, name=name)
    return replace(provider, name=provider.id)


def seen(bare: Bare, id: str, now: datetime) -> None:
    """Writes down that a provider showed that it lives."""
    bare.run("UPDATE compute_provider SET seen_us = ? WHERE id = ?", (micros(now), id))


def stand(bare: Bare, id: str, standing: Standing, now: datetime, why: str) -> bool:
    """Moves a provider to a standing; returns whether it stood elsewhere. NotFound where there is no such provider."""
    tail = " FOR UPDATE" if bare.dialect == "postgresql" else ""
    found = bare.run(f"SELECT standing FROM compute_provider WHERE id = ?{tail}", (id,))  # noqa: S608  # our own names
    if not found:
        raise NotFound(f"provider was {id!r:.80}, which does not exist", hint="see `mercato compute providers`")
    if found[0][0] == standing.value:
        return False
    bare.run("UPDATE compute_provider SET standing = ? WHERE id = ?", (standing.value, id))
    _note(bare, id, standing, now, why)
    return True


def history(bare: Bare, id: str) -> list[Turn]:
    """Returns how a provider came to stand where it does, oldest first."""
    rows = bare.run("SELECT standing, at_us, why FROM compute_standing WHERE provider = ? ORDER BY turn", (id,))
    return [Turn(Standing(row[0]), moment(row[1]), row[2]) for row in rows]


def one(bare: Bare, id: str) -> Provider | None:
    """Returns a provider by its id; None where there is none."""
    found = bare.run(f"{_PROVIDER} WHERE id = ?", (id,))
    return _provider(found[0]) if found else None


def called(bare: Bare, word: str) -> Provider:
    """Returns a provider by its id or its name, of which each has its own; NotFound where there is none."""
    found = bare.run(f"{_PROVIDER} WHERE id = ? OR name = ?", (word, word))
    if not found:
        raise NotFound(f"provider was {word!r:.80}, which does not exist", hint="see `mercato compute providers`")
    return _provider(found[0])


def by_key(bare: Bare, key: str) -> Provider | None:
    """Returns a provider by its public key; None where there is none."""
    found = bare.run(f"{_PROVIDER} WHERE compute_provider.key = ? ORDER BY id", (key,)) if key else []
    return _provider(found[0]) if found else None


def count(bare: Bare, standing: Standing) -> int:
    """Returns how many providers stand somewhere."""
    return int(bare.run("SELECT COUNT(*) FROM compute_provider WHERE standing = ?", (standing.value,))[0][0])


def countersign(bare: Bare, request: str, signature: str) -> None:
    """Keeps a provider's signature below a receipt; the first one stays."""
    sql = "UPDATE compute_receipt SET countersigned = ? WHERE request = ? AND countersigned = ''"
    bare.run(sql, (signature, request))


def unsigned(bare: Bare, provider: str, limit: int) -> list[Receipt]:
    """Returns receipts of the epoch that is open which their provider has not signed, the newest first."""
    sql = """SELECT request FROM compute_receipt WHERE epoch = 0 AND provider = ? AND countersigned = ''
        ORDER BY at_us DESC LIMIT ?"""
    found = [read(bare, row[0]) for row in bare.run(sql, (provider, limit))]
    return [receipt for receipt in found if receipt]


def everyone(bare: Bare) -> list[Provider]:
    """Returns every provider, by name."""
    return [_provider(row) for row in bare.run(f"{_PROVIDER} ORDER BY name, id")]


def offer(bare: Bare, provider: ProviderId, offers: Sequence[Offer]) -> None:
    """Writes what a provider offers, in the place of all that it offered before."""
    bare.run("DELETE FROM compute_offer WHERE provider = ?", (provider,))
    rows = [
        (provider, it.model, it.price.prompt, it.price.completion, it.price.cached, it.context, it.upstream,
         json.dumps(sorted(it.features)), it.quant, it.weights, it.concurrency, it.until and micros(it.until),
         it.signature, it.tokenizer, it.template, json.dumps(dict(it.engine)))
        for it in offers
    ]  # fmt: skip
    bare.many(f"INSERT INTO compute_offer (provider, {_OFFER})", rows)


def offers(bare: Bare, provider: str = "") -> list[Offer]:
    """Returns the offers of a provider, or all, whether they still hold or not."""
    where, values = ("WHERE provider = ?", (provider,)) if provider else ("", ())
    rows = bare.run(f"SELECT provider, {_OFFER} FROM compute_offer {where} ORDER BY model, provider", values)  # noqa: S608  # our own names
    return [_offer(row) for row in rows]


def pairs(bare: Bare, now: datetime) -> list[tuple[Provider, Offer]]:
    """Returns every provider that may be asked with each of its offers that still hold."""
    asked = {it.id: it for it in everyone(bare) if it.standing in (Standing.PROBATION, Standing.ACTIVE)}
    held = [it for it in offers(bare) if it.until is None or it.until > now]
    return [(asked[it.provider], it) for it in held if it.provider in asked]


def unsettled(bare: Bare, provider: ProviderId) -> int:
    """Returns what a provider earned and was not given yet, in micro-dollars: what a verdict could withhold."""
    found = bare.run("SELECT micro FROM compute_balance WHERE account = ?", (ledger.held(provider),))
    return int(found[0][0]) if found else 0


def reward(bare: Bare, provider: ProviderId) -> int:
    """Returns what a provider earns by an answer, in whole micro-dollars: the mean over some of the open epoch."""
    sql = "SELECT earned FROM compute_receipt WHERE epoch = 0 AND provider = ? LIMIT 200"
    earned = [int(row[0]) for row in bare.run(sql, (provider,))]
    return sum(earned) // len(earned) if earned else 0


def tell(bare: Bare, worker: str, bodies: Mapping[ProviderId, Mapping[str, Json]], now: datetime) -> None:
    """Writes what one worker of the gateway knows of how providers fare, in the place of what it told before."""
    rows = sorted((id, worker, micros(now), json.dumps(dict(body))) for id, body in bodies.items())
    tail = "ON CONFLICT (provider, worker) DO UPDATE SET at_us = excluded.at_us, body = excluded.body"
    bare.many("INSERT INTO compute_health (provider, worker, at_us, body)", rows, tail)


def told(bare: Bare, since: datetime, *, but: str = "") -> dict[str, dict[ProviderId, dict[str, Json]]]:
    """Returns what workers told since a moment, by worker and provider, without the worker `but`."""
    rows = bare.run(
        "SELECT worker, provider, body FROM compute_health WHERE at_us >= ? AND worker <> ?", (micros(since), but)
    )
    found: dict[str, dict[ProviderId, dict[str, Json]]] = {}
    for worker, provider, body in rows:
        found.setdefault(worker, {})[ProviderId(provider)] = json.loads(body)
    return found


def forget(bare: Bare, now: datetime, older: timedelta) -> None:
    """Drops what workers told that are gone."""
    bare.run("DELETE FROM compute_health WHERE at_us < ?", (micros(now - older),))


def _note(bare: Bare, id: str, standing: Standing, now: datetime, why: str) -> None:
    turn = bare.run("SELECT COALESCE(MAX(turn), 0) + 1 FROM compute_standing WHERE provider = ?", (id,))[0][0]
    head = "INSERT INTO compute_standing (provider, turn, standing, at_us, why)"
    bare.many(head, [(id, turn, standing.value, micros(now), why[:500])])


def _provider(row: Row) -> Provider:
    return Provider(
        ProviderId(row[0]), row[1], Standing(row[2]), url=row[3], key=row[4], region=row[5], zdr=bool(row[6]),
        stake=row[7],
    )  # fmt: skip


def _offer(row: Row) -> Offer:
    made = Offer(
        ProviderId(row[0]), row[1], Price(row[2], row[3], row[4]), row[5], upstream=row[6],
        features=frozenset(json.loads(row[7])), quant=row[8], weights=row[9], concurrency=row[10], signature=row[12],
        tokenizer=row[13], template=row[14], engine=tuple(sorted(json.loads(row[15]).items())),
    )  # fmt: skip
    return made if row[11] is None else replace(made, until=moment(row[11]))
