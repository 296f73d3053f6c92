"""The node's way to one gateway: it dials, proves its key, offers, serves, and dials again when the way breaks.

Nothing ever listens on the node's side. Pauses between two tries grow and are drawn at random, so that a gateway that
comes back is not met by all of its nodes at once.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from mercato.compute.model import Offer, ProviderId, canonical
from mercato.compute.node.attesting import Parts, Question, attested
from mercato.compute.node.frames import MOST_MESSAGE, PROTOCOL
from mercato.compute.node.keyfile import NodeKey
from mercato.compute.node.offers import LONGEST, signed
from mercato.compute.node.receipting import Desk, Folder, received, word
from mercato.compute.node.serving import Serving
from mercato.compute.node.session import Session
from mercato.compute.node.wire import SENDING, Gone, Wire, heard, introduction, tell
from mercato.compute.node.wording import Body, inner, number, text
from mercato.core.errors import ConfigError, Conflict, InvalidInput
from mercato.core.events import Json

PATH = "/v1/tunnel"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
QUIET = logging.getLogger("mercato.compute.node.socket")
QUIET.setLevel(logging.ERROR)  # at DEBUG the library would log what frames hold
FIRST, LONGEST_PAUSE = 0.5, 60.0  # seconds between two tries: about the first, and at most
STEADY = 60.0  # seconds after which a connection counts as one that worked
OPENING = 10.0
RECEIPTS = 3.0
MISSES = 3
TAKEN = 4423  # the worker at the other end has a way of ours already
FINAL = frozenset({4403, 4409})  # close codes after which trying again cannot help
HEARD = ("ping", "offered", "standing", "refused", "receipt", "attest")
REMEMBERED = 16  # documents of offers that a gateway may ask about


@dataclass(frozen=True, slots=True)
class Identity:
    """How a node shows itself: its key, a name for people, a region, and whether it keeps prompts (`zdr`: no). The
    instance is its process: several ways to one gateway are the same node's, and two nodes with one key are not."""

    key: NodeKey
    name: str = ""
    region: str = ""
    zdr: bool = False
    instance: str = field(default_factory=lambda: secrets.token_hex(8))


class SocketWire:
    """The node's end of the WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, message: str | bytes) -> None:
        """Sends a message; Gone where the other end is, or does not read."""
        try:
            async with asyncio.timeout(SENDING):
                await self._socket.send(message)
        except (ConnectionClosed, TimeoutError):
            raise Gone from None

    async def receive(self) -> str | bytes:
        """Returns the next message; Gone at the end."""
        try:
            return await self._socket.recv()
        except ConnectionClosed as closed:
            end = closed.rcvd
            raise Gone(end.code if end else 1006, end.reason if end else "") from None

    async def close(self, code: int, why: str) -> None:
        """Closes the connection; nothing happens where it is over already."""
        await self._socket.close(code, why[:120])


class _Straight(connect):
    """A connection that follows no redirect: an answer must not send the node elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Returns the error as it is."""
        return exc


def address(gateway: str, *, plain: bool = False) -> tuple[str, str]:
    """Returns the tunnel's address at a gateway, and the name that the node calls it by.

    ConfigError for one without TLS that is not on this machine, unless `plain` allows that: whoever is on the way
    would read every prompt.
    """
    parts = urlsplit(gateway)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ConfigError(f"gateway was {gateway!r}", hint="an address such as https://gateway.example")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not plain:
        raise ConfigError(f"gateway was {gateway!r}, without TLS", hint="use https, or --plain in a network you trust")
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{PATH}", parts.netloc.lower()


def pause(tries: int, rng: Random) -> float:
    """Returns the seconds to wait after so many tries in vain: at random below a bound that doubles."""
    return rng.uniform(FIRST / 2, min(LONGEST_PAUSE, FIRST * 2 ** min(tries, 16)))


class Dialler:
    """One way to a gateway. `run` stays until `leave` is called; Conflict where the gateway will not have this node.
    `grow` is told how many workers the gateway has."""

    def __init__(
        self, gateway: str, who: Identity, serving: Serving, folder: Folder, *, plain: bool = False,
        grow: Callable[[int], None] = lambda workers: None,
        rng: Random | None = None, pausing: Callable[[int, Random], float] = pause,
    ) -> None:  # fmt: skip
        self._grow = grow
        self._url, self.name = address(gateway, plain=plain)
        self._who, self._serving = who, serving
        self._rng, self._pausing = rng or Random(), pausing
        self._seq = 0
        self._welcomed = False
        self._wire: Wire | None = None
        self._session: Session | None = None
        self._leaving = asyncio.Event()
        self._folder = folder
        self._desk: Desk | None = None
        self._told: dict[str, Json] = {}
        self._promised: dict[str, dict[str, Parts]] = {}  # parts by model, by the signature of what offered them
        self._attesting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Keeps the way open. Returns after `leave`."""
        tries = 0
        loop = asyncio.get_running_loop()
        while not self._leaving.is_set():
            began = loop.time()
            try:
                await self._once()
            except Gone as gone:
                if (
                    gone.code != TAKEN and not self._leaving.is_set()
                ):  # else we met a worker that has us: another one is looked for, without a word
                    self._serving.say("tunnel lost", gateway=self.name, why=str(gone))
            except (OSError, TimeoutError, InvalidHandshake, InvalidInput) as lost:
                self._serving.say("tunnel lost", gateway=self.name, why=f"{type(lost).__name__} {lost!s:.200}")
            tries = 0 if loop.time() - began > STEADY else tries + 1
            await self._wait(self._pausing(tries, self._rng))

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._leaving.wait()
        except TimeoutError:
            return

    async def _once(self) -> None:
        options: dict[str, Any] = {
            "subprotocols": [Subprotocol(PROTOCOL)], "compression": None, "max_size": MOST_MESSAGE,
            "ping_interval": None, "open_timeout": OPENING, "close_timeout": 1, "proxy": None, "logger": QUIET,
        }  # fmt: skip
        try:
            async with _Straight(self._url, **options) as socket:
                await self._serve(SocketWire(socket))
        except InvalidURI:
            raise ConfigError(f"gateway was {self._url!r}", hint="expected an address") from None

    async def _serve(self, wire: Wire) -> None:
        async with asyncio.timeout(OPENING):
            beat = await self._introduce(wire)
        self._wire, self._session = wire, Session(wire, self._serving)
        offering = asyncio.create_task(self._offer_on(wire, beat))
        try:
            while True:
                async with asyncio.timeout(MISSES * beat):
                    message = await wire.receive()
                if isinstance(message, bytes):
                    self._session.serve(message)
                else:
                    await self._control(wire, heard(message, *HEARD))
        except Gone as gone:
            if gone.code in FINAL:
                raise Conflict(f"gateway {self.name!r} closed: {gone.why}", hint="see the node's page") from None
            raise
        finally:
            offering.cancel()
            if self._attesting:
                self._attesting.cancel()
            await self._session.finish(0)
            self._wire = self._session = None

    async def _introduce(self, wire: Wire) -> float:
        challenge = heard(await wire.receive(), "challenge")
        said = introduction(text(challenge, "nonce", most=64, least=64), self.name)
        who = self._who
        await tell(
            wire, "hello", key=who.key.public, gateway=self.name, name=who.name, region=who.region, zdr=who.zdr,
            instance=who.instance, signature=who.key.sign("tunnel", canonical(said)),
        )  # fmt: skip
        answer = heard(await wire.receive(), "welcome", "refused")
        if answer["type"] == "refused":
            self._refused(answer)
        self._welcomed = True
        self._grow(number(answer, "workers", 1, 1_000))
        self._desk = self._opened(answer)
        self._serving.say("connected", gateway=self.name, provider=text(answer, "provider", most=60),
                          standing=text(answer, "standing", most=20))  # fmt: skip
        return number(answer, "beat", 100, 300_000) / 1000

    def _opened(self, answer: Body) -> Desk:
        """Returns what this gateway's receipts are compared with."""
        shown = text(answer, "signer", most=64)
        pinned = self._folder.pin(self.name, shown)
        if pinned != shown:
            self._serving.say("gateway key changed", gateway=self.name, was=pinned, shown=shown)
        offers = {offer.model: offer for offer in self._serving.offers.values()}
        return Desk(ProviderId(text(answer, "provider", most=60)), pinned, offers)

    async def _receipt(self, wire: Wire, body: Body) -> None:
        """Answers a receipt by the node's signature, or by its objection."""
        if self._desk is None:
            return
        receipt = received(body)
        self._serving.owed.discard(receipt.request)
        line, before = self._serving.recent.get(receipt.request), self._serving.signed.get(receipt.request, "")
        signature, why = word(self._who.key, self._desk, receipt, line, before)
        if signature:
            self._serving.signed[receipt.request] = receipt.hash
        self._folder.keep(receipt, inner(body.get("body"), "receipt"), countersigned=signature, objection=why)
        if why:
            self._serving.say("receipt not signed", request=receipt.request, why=why)
            await tell(wire, "object", request=receipt.request, why=why)
        else:
            await tell(wire, "countersign", request=receipt.request, signature=signature)

    def _refused(self, answer: Body) -> None:
        why = str(answer.get("why"))[:500]
        if answer.get("code") == TAKEN:
            raise Gone(TAKEN, why)
        # Before the first welcome it is our own settings that are wrong, and a person should look at them.
        if answer.get("code") in FINAL or not self._welcomed:
            raise Conflict(f"gateway {self.name!r} refused this node: {why}", hint="see the node's page")
        raise InvalidInput(f"gateway refused: {why}")

    async def _control(self, wire: Wire, body: Body) -> None:
        if body["type"] == "ping":
            await tell(wire, "pong")
        elif body["type"] == "refused":
            self._refused(body)
        elif body["type"] == "offered":
            answer = {"accepted": body.get("accepted"), "refused": body.get("refused")}
            if answer != self._told:
                self._told = answer
                self._serving.say("offered", **answer)
        elif body["type"] == "receipt":
            await self._receipt(wire, body)
        elif body["type"] == "attest" and (self._attesting is None or self._attesting.done()):
            asked = Question(self.name, text(body, "nonce", most=64, least=64), text(body, "offers", most=128))
            self._attesting = asyncio.create_task(self._attest(wire, asked))
        elif body["type"] == "standing":
            self._serving.say("standing", standing=str(body.get("standing"))[:20])

    async def _attest(self, wire: Wire, asked: Question) -> None:
        """Says what is served now, of models that are what was offered here in all their parts; of nothing else."""
        promised = self._promised.get(asked.offers)
        if promised is None:
            return
        now = await self._serving.parts()
        same = {model: parts for model, parts in promised.items() if now.get(model) == parts}
        if len(same) < len(promised):
            self._serving.say("not attested", gateway=self.name, models=sorted(set(promised) - set(same)))
        document = attested(self._who.key, asked, same, self._serving.clock.now())
        try:
            await tell(wire, "attested", document=document)
        except Gone:
            return

    async def _offer_on(self, wire: Wire, beat: float) -> None:
        """Sends the offers anew at every beat: they hold for three."""
        try:
            while True:
                await self._offer(wire, () if self._leaving.is_set() else [*self._serving.offers.values()], beat)
                await asyncio.sleep(beat)
        except Gone:
            return

    async def _offer(self, wire: Wire, offers: Sequence[Offer], beat: float) -> None:
        now = self._serving.clock.now()
        self._seq = max(self._seq + 1, int(now.timestamp() * 1000))
        until = now + min(timedelta(seconds=beat * MISSES), LONGEST)
        document = signed(offers, self._who.key, gateway=self.name, seq=self._seq, issued=now, until=until)
        self._promised[str(document["signature"])] = {one.model: one.parts for one in offers if one.parts}
        if len(self._promised) > REMEMBERED:
            del self._promised[next(iter(self._promised))]
        await tell(wire, "offers", document=document)

    async def _receipts(self) -> None:
        """Waits a moment for the receipts of what was just served; what comes later is shown at the next visit."""
        end = asyncio.get_running_loop().time() + RECEIPTS
        while self._serving.owed and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)

    async def leave(self, seconds: float) -> None:
        """Takes no more requests, lets those under way end for so long, and hangs up."""
        self._leaving.set()
        if self._wire is None or self._session is None:
            return
        wire, session = self._wire, self._session
        try:
            await tell(wire, "drain")
            await self._offer(wire, (), 1.0)
            await session.finish(seconds)
            await self._receipts()
        except Gone:
            return
        await wire.close(1001, "node leaves")
