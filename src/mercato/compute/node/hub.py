"""Where nodes dial in: an ASGI WebSocket route of the gateway, and who is connected through it.

    hub = Hub(roll, names=frozenset({"gw.example"}))
    await hub(scope, receive, send)        # for a WebSocket at the tunnel's path
    hub.line(provider)                     # a Line, or None where that node is not here
    hub.candidates()                       # (provider, offer) of all that may be asked now

The gateway never dials: a node behind a NAT is reached by the connection that it made.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

from mercato.compute.books.receipts import body, countersigned
from mercato.compute.gateway.line import Line
from mercato.compute.model import Offer, Provider, ProviderId, Receipt, Standing, canonical
from mercato.compute.node.admission import sound, unfit
from mercato.compute.node.attesting import other, read
from mercato.compute.node.frames import PROTOCOL
from mercato.compute.node.keyfile import verifies
from mercato.compute.node.member import MISSES, Member
from mercato.compute.node.offers import verified
from mercato.compute.node.roll import REFUSED, Roll, Stranger
from mercato.compute.node.tunnel import Tunnel
from mercato.compute.node.wire import AsgiWire, Gone, Leaving, Receive, Send, Wire, heard, introduction, tell
from mercato.compute.node.wording import Body, inner, text
from mercato.core.clock import Clock, SystemClock
from mercato.core.errors import Conflict, InvalidInput
from mercato.core.events import Json

PURPOSE = "tunnel"  # what the signature of an introduction is for
WRONG, FORBIDDEN, SILENT, REPLACED, TAKEN = 4400, 4403, 4408, 4409, 4423  # close codes: HTTP's, and 4000 more
ARRIVAL = 10.0  # seconds to introduce oneself
QUIET = 10  # looks, a twentieth of a second apart
MOST_STRANGERS, MOST_MEMBERS = 64, 2_000
log = logging.getLogger("mercato.compute.node")
SAID = ("offers", "pong", "drain", "countersign", "object", "attested")


class Hub:
    """The nodes that dialled into this process. `names` are what they may call this gateway, as `host` or `host:port`;
    `signer` is the public key of its receipts, `beat` the number of seconds between two pings. `workers` share
    this address, each with a hub of its own: a node is told, and dials until it has met them all."""

    def __init__(
        self,
        roll: Roll,
        *,
        names: frozenset[str],
        signer: str = "",
        clock: Clock | None = None,
        beat: float = 20.0,
        workers: int = 1,
    ) -> None:
        self._roll, self._names, self._signer, self._beat = roll, names, signer, beat
        self._clock, self._workers = clock or SystemClock(), workers
        self._members: dict[ProviderId, Member] = {}
        self._strangers: list[asyncio.Timeout] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def line(self, provider: ProviderId) -> Line | None:
        """Returns the way to a node that is connected here, or None."""
        found = self._members.get(provider)
        return found.tunnel if found else None

    def candidates(self) -> list[tuple[Provider, Offer]]:
        """Returns who may be asked now, and for what."""
        now = self._clock.now()
        return [(one.provider, offer) for one in self._members.values() for offer in one.offers(now)]

    def members(self) -> list[Provider]:
        """Returns the providers that are connected, whether they may serve or not."""
        return [member.provider for member in self._members.values()]

    async def judge(self, provider: Provider) -> None:
        """Takes a new standing in at once; the connection of one that may not come in any more is closed."""
        if member := self._members.get(provider.id):
            member.provider = provider
            if provider.standing in REFUSED:
                await self._dismiss(member.wire, FORBIDDEN, f"provider is {provider.standing.value}")

    def present(self, receipt: Receipt) -> None:
        """Shows a receipt to the node that served, for its signature; nothing happens where it is not here."""
        if member := self._members.get(receipt.provider):
            member.show(receipt)
            facts: dict[str, Json] = {"body": body(receipt), "hash": receipt.hash, "signature": receipt.signature}
            self._spawn(_told(member.wire, "receipt", facts))

    async def close(self) -> None:
        """Closes every connection; nodes dial in again, here or at another gateway."""
        for member in list(self._members.values()):
            await member.tunnel.close()
        for task in list(self._tasks):
            task.cancel()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one WebSocket from its handshake to its end."""
        wire = AsgiWire(receive, send)
        if len(self._members) >= MOST_MEMBERS or PROTOCOL not in scope.get("subprotocols", ()):
            await wire.close(WRONG, "")  # before it was accepted: the server answers 403
            return
        try:
            await wire.accept(PROTOCOL)
            await self._listen(await self._arrived(wire))
        except Gone:
            return
        except TimeoutError:
            await wire.close(SILENT, "introduction took too long")
        except Conflict as refused:
            await self._dismiss(wire, FORBIDDEN, str(refused))
        except InvalidInput as wrong:
            await self._dismiss(wire, WRONG, str(wrong))

    async def _dismiss(self, wire: Wire, code: int, why: str) -> None:
        try:
            await tell(wire, "refused", code=code, why=why[:500])
        except Gone:
            return
        await wire.close(code, why.encode("ascii", "replace").decode())

    async def _arrived(self, wire: Wire) -> Member:
        who = await self._patiently(wire)
        provider = await self._roll.arrived(who)
        here = self._members.get(provider.id)
        if here and here.instance == who.instance and self._lives(here):
            await self._dismiss(wire, TAKEN, "this worker has a connection of this node")
            raise Gone
        await tell(wire, "welcome", provider=provider.id, standing=provider.standing.value,
                   signer=self._signer, workers=self._workers, beat=int(self._beat * 1000))  # fmt: skip
        return Member(provider, wire, Tunnel(wire), asyncio.get_running_loop().time(), who.instance)

    async def _patiently(self, wire: Wire) -> Stranger:
        """Gives a stranger its time. Where there are too many, one drawn at random has had it: whoever holds
        connections open without a word does not keep out those who introduce themselves at once."""
        while len(self._strangers) >= MOST_STRANGERS:
            drawn = self._strangers.pop(secrets.randbelow(MOST_STRANGERS))
            if not drawn.expired():
                drawn.reschedule(asyncio.get_running_loop().time())
        async with asyncio.timeout(ARRIVAL) as time:
            self._strangers.append(time)
            try:
                return await self._introduced(wire)
            finally:
                if time in self._strangers:
                    self._strangers.remove(time)

    async def _introduced(self, wire: Wire) -> Stranger:
        """Returns who is there: the key is theirs, since they signed what we made up for this connection."""
        nonce = secrets.token_hex(32)
        await tell(wire, "challenge", nonce=nonce)
        said = heard(await wire.receive(), "hello")
        key, gateway = text(said, "key", most=64, least=64), text(said, "gateway", most=255, least=1)
        if gateway not in self._names:
            raise InvalidInput(f"gateway was called {gateway!r}", hint=f"it is {', '.join(sorted(self._names))}")
        signature = text(said, "signature", most=128)
        if not verifies(key, PURPOSE, canonical(introduction(nonce, gateway)), signature):
            raise Conflict("introduction was not signed by its key", hint="sign the challenge of this connection")
        return Stranger(key, text(said, "name", most=60), text(said, "region", most=32), said.get("zdr") is True,
                        text(said, "instance", most=32))  # fmt: skip

    async def _listen(self, member: Member) -> None:
        before = self._members.get(member.provider.id)
        self._members[member.provider.id] = member
        if before:
            before.tunnel.lose("reset")
            code = SILENT if before.instance == member.instance else REPLACED
            self._spawn(self._dismiss(before.wire, code, "another connection came with the same key"))
        beating = asyncio.create_task(self._beats(member))
        self._spawn(self._remind(member))
        try:
            while True:
                try:
                    await self._hear(member, await member.wire.receive())
                except Leaving:
                    member.draining = True
                    self._spawn(self._see_off(member))
        finally:
            beating.cancel()
            member.tunnel.lose("reset")
            if self._members.get(member.provider.id) is member:
                del self._members[member.provider.id]

    async def _hear(self, member: Member, message: str | bytes) -> None:
        member.spoke(asyncio.get_running_loop().time())
        if isinstance(message, bytes):
            member.tunnel.serve(message)
            return
        said = heard(message, *SAID)
        if said.get("request") not in member.shown:  # what we asked for is not too much
            member.controlled(dear=said["type"] == "offers")
        await self._control(member, said)

    async def _see_off(self, member: Member) -> None:
        """Closes a connection once nothing has been under way in it for a moment."""
        idle = 0
        while idle < QUIET:
            await asyncio.sleep(0.05)
            idle = 0 if member.tunnel.underway else idle + 1
        await member.tunnel.close()

    async def _remind(self, member: Member) -> None:
        """Shows what the node has not answered when it was here last."""
        for receipt in await self._roll.unsigned(member.provider.id):
            if receipt.request not in member.shown:
                self.present(receipt)

    def _lives(self, member: Member) -> bool:
        return asyncio.get_running_loop().time() - member.heard < 2 * self._beat

    async def _beats(self, member: Member) -> None:
        loop = asyncio.get_running_loop()
        try:
            while loop.time() - member.heard < MISSES * self._beat:
                member.controls = 0
                await tell(member.wire, "ping")
                await asyncio.sleep(self._beat)
        except Gone:
            pass
        member.tunnel.lose("reset")
        await member.wire.close(SILENT, "nothing was heard")

    async def _control(self, member: Member, said: Body) -> None:
        if said["type"] == "offers":
            await self._offered(member, said)
        elif said["type"] == "drain":
            member.draining = True
        elif said["type"] == "attested":
            await self._attested(member, said)
        elif said["type"] != "pong":
            await self._answered(member, said)

    async def _answered(self, member: Member, said: Body) -> None:
        """Takes a node's word on a receipt that it was shown; a signature that does not fit is worse than none."""
        receipt = member.shown.pop(text(said, "request", most=60), None)
        if receipt is None:
            return
        if said["type"] == "object":
            await self._roll.objected(member.provider.id, receipt, text(said, "why", most=300))
            return
        signed = countersigned(receipt, member.provider.key, text(said, "signature", most=128))
        await self._roll.countersigned(member.provider.id, receipt, signed.countersigned)

    async def _offered(self, member: Member, said: Body) -> None:
        document = inner(said.get("document"), "document")
        after = member.offering.seq if member.offering else 0
        provider = member.provider
        try:
            found = verified(
                document, key=provider.key, gateways=self._names, after=after, now=self._clock.now(),
                provider=provider.id,
            )  # fmt: skip
        except InvalidInput as wrong:
            await tell(member.wire, "offered", accepted=[], refused={"": str(wrong)[:500]})
            member.struck(wrong)
            return
        specs = self._roll.specs()
        reasons = {offer.model: unfit(offer, specs.get(offer.model)) for offer in found.offers}
        fit = tuple(offer for offer in found.offers if not reasons[offer.model])
        member.offering = replace(found, offers=fit)
        await self.judge(await self._roll.offered(provider.id, member.offering))
        refused = {model: why for model, why in reasons.items() if why}
        await tell(member.wire, "offered", accepted=[offer.model for offer in fit], refused={**refused})
        if asked := member.asks(document, asyncio.get_running_loop().time()):
            await tell(member.wire, "attest", nonce=asked.nonce, offers=asked.offers)
        if fit and member.provider.standing is Standing.PENDING and not member.tried:
            member.tried = True  # once for each connection: whoever fails dials in again, with its back-off
            self._spawn(self._try(member, fit))

    async def _attested(self, member: Member, said: Body) -> None:
        """Takes a node's signed word on what it serves; one that contradicts its signed offer ends more than this."""
        asked, member.question = member.question, None
        if asked is None:
            return
        document, provider = inner(said.get("document"), "document"), member.provider
        member.attested = read(document, key=provider.key, asked=asked, gateways=self._names)
        if wrong := other(member.document, member.attested):
            await self._roll.contradicted(provider.id, member.document, document)
            raise Conflict(f"{wrong} was attested otherwise than offered", hint="both were signed")

    async def _try(self, member: Member, offers: tuple[Offer, ...]) -> None:
        for offer in offers:
            if why := await sound(member.tunnel, offer):
                await self._dismiss(member.wire, WRONG, f"trial of {offer.model!r} failed: {why}")
                return
        member.provider = await self._roll.advanced(member.provider.id)
        await _told(member.wire, "standing", {"standing": member.provider.standing.value})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("work for a node failed: %s", type(error).__name__)


async def _told(wire: Wire, kind: str, facts: Mapping[str, Json]) -> None:
    try:
        await tell(wire, kind, **facts)
    except Gone:
        return
