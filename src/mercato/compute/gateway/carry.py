"""Carries a request: reserve, ask, pass on, count, settle. In this order, whatever happens on the way.

Another provider is asked only while nothing has reached the client. After that, an answer that breaks off ends with an
error event, and never with `[DONE]`. The last bytes go out when what was charged is durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from mercato.compute.books.desk import Desk
from mercato.compute.books.words import KEPT, Lost, Replay, Served
from mercato.compute.errors import Busy, Declined, Forbidden, Short, Unreached
from mercato.compute.gateway import answers
from mercato.compute.gateway.asker import Begun, ask
from mercato.compute.gateway.asking import Asked
from mercato.compute.gateway.catalogue import Catalogue
from mercato.compute.gateway.client import Halted, Left
from mercato.compute.gateway.counting import Counter
from mercato.compute.gateway.failing import ended, unserved
from mercato.compute.gateway.hedge import OUTRUN, TOGETHER, Race
from mercato.compute.gateway.job import Job
from mercato.compute.gateway.line import Patience, Time
from mercato.compute.gateway.metrics import Metrics
from mercato.compute.gateway.sealing import Seal
from mercato.compute.gateway.states import UNSETTLED, Stage
from mercato.compute.gateway.tally import Tally
from mercato.compute.model import Attempt, End, Need, Offer, Receipt, RequestId, Usage
from mercato.compute.routing.health import CREDIT
from mercato.compute.routing.router import Candidate, Router
from mercato.core.errors import MercatoError
from mercato.core.money import UP

log = logging.getLogger("mercato.compute.gateway")
EVENTS = b"text/event-stream; charset=utf-8"
Sample = Callable[[RequestId, Candidate, Need], bool]
#: Packs a question and its answer for who audits it.
Packed = Callable[[Asked, Tally, Offer, Seal | None], bytes]
#: Says of a request how the answer of a provider is verified, for the header x-verified.
Verified = Callable[[Asked, Candidate], str]


class Carrier:
    """Carries requests, one after another or many at once. `sample` chooses what is put up for audit; `settled` is
    told of every receipt."""

    def __init__(
        self,
        desk: Desk,
        router: Router,
        catalogue: Catalogue,
        counter: Counter,
        *,
        patience: Patience,
        attempts: int = 3,
        sample: Sample = lambda request, candidate, need: need.wish.verify == "always",
        settled: Callable[[Receipt], None] = lambda receipt: None,
        packed: Packed = lambda asked, tally, offer, seal: b"",
        verified: Verified = lambda asked, candidate: "none",
        metrics: Metrics | None = None,
    ) -> None:
        self.desk, self.router, self.catalogue, self.counter = desk, router, catalogue, counter
        self._patience, self._most, self._sample, self._settled = patience, attempts, sample, settled
        self._packed, self._verified, self.metrics = packed, verified, metrics or Metrics()
        self._loop = asyncio.get_running_loop()

    async def carry(self, job: Job) -> None:
        """Answers a request. Declined, with nothing sent to the client, where nobody does."""
        try:
            found = self._order(job)
        except Forbidden:
            raise
        except Declined:  # whoever answered it before may serve nobody now
            earlier = await self.desk.earlier(job.hold(0)) if job.idempotency else None
            if earlier is None:
                raise
            job.to(Stage.ROUTE)
            job.to(Stage.RESERVE)
            await self._replay(job, earlier)
            return
        job.to(Stage.ROUTE)
        job.to(Stage.RESERVE)
        most = self._most if job.asked.need.wish.fallbacks else 1
        order = found[:most]
        try:
            again = await self._reserve(job, order)
        except Short as short:  # one dear provider, or one that makes itself so, keeps no request from the others
            left = short.facts.get("left")
            order = [one for one in found if isinstance(left, int) and self._limit(job, [one]) <= left][:most]
            if not order:
                raise
            again = await self._reserve(job, order)
        if again is not None:
            await self._replay(job, again)
            return
        try:
            begun = await self._begin(job, order)
        except BaseException as error:  # whatever it was: nothing was delivered, so nothing is held
            await self._release(job, error)
            raise
        job.to(Stage.FIRST_BYTE)
        try:
            await (self._stream(job, begun) if begun.stream else self._whole(job, begun))
        except BaseException as error:  # nothing is held by a request that is over, whatever went wrong with it
            if job.stage in UNSETTLED:
                self._ended(job, begun.candidate, End.CLIENT_GONE)
                await self._release(job, error)
            raise

    async def _reserve(self, job: Job, order: Sequence[Candidate]) -> Replay | None:
        """Reserves what a request may cost at those who may be asked; see `Desk.reserve`."""
        return await self.desk.reserve(job.hold(self._limit(job, order)))

    def _limit(self, job: Job, order: Sequence[Candidate]) -> int:
        """Returns the micro-dollars that a request may cost."""
        limits = [one.offer.price.of(job.asked.bound(one.offer), round=UP) for one in order]
        # Who makes two providers work at once can pay for both, although only one of them is ever paid.
        return max(limits) if job.asked.need.wish.hedge is None else sum(sorted(limits)[-TOGETHER:])

    def _order(self, job: Job) -> Sequence[Candidate]:
        """Returns whom to ask; Declined where nobody may be asked."""
        need, scope = job.asked.need, job.key.scope
        if not scope.allows(need.model, need.surface):
            raise Forbidden(f"key may not ask for {need.model!r} by {need.surface.value}", hint="use another key")
        found = self.catalogue.candidates(need.model)
        if not found:
            raise Declined(
                f"model was {need.model!r}", param="model", hint="GET /v1/models lists those served here", status=404,
                code="model_not_found",
            )  # fmt: skip
        if scope.providers:
            found = [one for one in found if {one.provider.id, one.provider.name} & scope.providers]
        now = self._loop.time()
        order = self.router.order(need, found, now)
        if not order:
            raise unserved(self.router.why(need, found, now))
        return order

    async def _begin(self, job: Job, order: Sequence[Candidate]) -> Begun:
        """Returns the first answer that begins; Declined where none does, or the request was at fault."""
        failed: list[Unreached] = []
        time, wish = Time(self._patience, self._loop.time()), job.asked.need.wish
        self._loop.call_soon(self._ahead, job)
        if wish.hedge is not None:
            return await self._race(job, order, time, wish.hedge)
        for candidate in order:
            if job.asked.need.stream and candidate is order[-1]:  # nobody else is asked after it, so it may be named
                job.client.promise(self._opening(job, candidate))
            try:
                with job.client.waiting():
                    return await self._ask(job, candidate, time)
            except Unreached as error:
                failed.append(error)
        raise unserved({}, failed)

    async def _ask(self, job: Job, candidate: Candidate, time: Time) -> Begun:
        """Returns the answer of one provider once it begins. How it failed is written down; Unreached where another one
        may be asked."""
        now, name = self._loop.time(), candidate.provider.id
        patience = time.left(now)
        line = self.catalogue.line(name)
        if line is None or not self.router.free(candidate, now):  # as it was when it was chosen, before the reserve
            raise Unreached("full" if line else "left", "provider has as many requests as it takes, or went")
        job.to(Stage.SENDING)
        job.began = round(now * 1000)
        self.router.began(name, now)
        try:
            return await ask(line, candidate, job.asked, patience, job.request)
        except Unreached as error:
            self._ended(job, candidate, ended(error), error=error.why)
            log.info("%s: %s did not answer: %s", job.request, candidate.provider.name, error.message)
            if error.why in CREDIT:  # nobody is told else: clients are served by others, or hear that nobody is there
                log.warning("%s rests, as it answered %s: see its key and credit", candidate.provider.name, error.why)
            raise
        except Declined as error:
            self._ended(job, candidate, End.UPSTREAM_ERROR, error=str(error.answer))
            raise
        except BaseException:
            self._ended(job, candidate, End.CLIENT_GONE)
            raise

    def _ahead(self, job: Job) -> None:
        """Does while the first provider works what would else keep its answer waiting."""
        job.words = self.counter.ahead(job.asked)

    async def _race(self, job: Job, order: Sequence[Candidate], time: Time, pause_ms: int) -> Begun:
        """Returns the first answer of two providers, the second of which is asked after a while."""
        job.to(Stage.SENDING)
        race = Race(
            job, lambda side, candidate: self._ask(side, candidate, time),
            lambda side, candidate, end, why: self._ended(side, candidate, end, error=why),
        )  # fmt: skip
        begun = await race.run(order, pause_ms)
        if begun is None:
            raise unserved({}, race.failed)
        return begun

    async def _whole(self, job: Job, begun: Begun) -> None:
        """Settles an answer that came at once, then sends it."""
        job.note(begun.whole)
        receipt = await self._settle(job, begun, End.DONE, b"application/json")
        headers = [
            answers.JSON_TYPE,
            (b"content-length", str(len(begun.whole)).encode()),
            *self._known(job, begun.candidate, receipt.charged if receipt else 0),
        ]
        with job.client.waiting():
            await job.client.start(200, headers)
            await job.client.write(begun.whole, more=False)

    async def _stream(self, job: Job, begun: Begun) -> None:
        """Passes a stream on as it comes, then settles it, then sends how it ended."""
        stream, end, wrong, gone = begun.stream, End.DONE, None, None
        assert stream is not None
        job.to(Stage.STREAMING)
        first = round(self._loop.time() * 1000) - job.began
        try:
            with job.client.waiting():
                if not job.client.started:
                    await job.client.start(200, self._opening(job, begun.candidate))
                await job.write(stream.held)
                begun.tally.forwarded()
                async for out in stream.rest():
                    await job.write(out)
                    begun.tally.forwarded()
        except (Left, asyncio.CancelledError) as error:  # whoever ended it: what was forwarded is charged, and no more
            if not begun.tally.cut():
                raise
            end, gone = End.CLIENT_GONE, error
            wrong = Unreached("stopped", "somebody turned the kill switch on") if isinstance(error, Halted) else None
        except Unreached as error:
            end, wrong = ended(error), error
        except Exception:  # ours to mend; what was reserved is settled all the same
            log.exception("stream of %s failed", job.request)
            end, wrong = End.UPSTREAM_ERROR, Unreached("failed", "gateway could not read on")
        finally:
            await begun.reply.close()
        cut = begun.voice.cut if begun.voice else answers.cut
        code = "stopped" if wrong and end is End.CLIENT_GONE else end.value.replace("-", "_")
        last = cut(wrong, code) if wrong else stream.last if gone is None else b""
        job.note(last)
        receipt = await self._settle(job, begun, end, EVENTS, first=first, error=wrong.why if wrong else "")
        last = answers.cost(receipt.charged if receipt else 0) + last
        if gone is not None and wrong is None:
            raise gone
        job.client.resume()
        with job.client.waiting():
            await job.client.write(last, more=False)

    async def _settle(
        self, job: Job, begun: Begun, end: End, kind: bytes, *, first: int | None = None, error: str = ""
    ) -> Receipt | None:
        """Charges what was delivered; returns the receipt, or None where the reserve had been given back before."""
        job.to(Stage.METER)
        offer = begun.candidate.offer
        count = await self.counter.count(job.asked, begun.tally, job.asked.bound(offer), job.words)
        self._ended(job, begun.candidate, end, usage=count.counted, first=first, error=error)
        keep = bool(job.idempotency) and end is End.DONE and len(job.kept) <= KEPT
        served = Served(
            key=job.key.id,
            provider=begun.candidate.provider.id,
            model=offer.model,
            end=end,
            asked=job.asked.digest,
            answered=job.sent.hexdigest(),
            claimed=count.claimed,
            counted=count.counted,
            price=offer.price,
            attempts=tuple(job.attempts),
            audit=end is End.DONE and self._sample(job.request, begun.candidate, job.asked.need),
            evidence=self._evidence(job, begun) if end is End.DONE else b"",
            answer=bytes(job.kept) if keep else b"",
            kind=kind.decode(),
        )
        job.to(Stage.SETTLE)
        try:
            receipt = await self.desk.settle(job.request, served=served)
            self._loop.call_soon(self._tell, job, begun.candidate, receipt)
        except Lost:  # its lease was over; the answer is the client's for nothing
            log.warning("%s was released before it was settled", job.request)
            receipt = None
        job.to(Stage.DONE)
        return receipt

    def _tell(self, job: Job, candidate: Candidate, receipt: Receipt) -> None:
        """Tells of a receipt, when the client has its answer."""
        self._settled(receipt)
        tries = sum(attempt.error != OUTRUN for attempt in job.attempts)
        self.metrics.settled(job.asked.need.surface, candidate.provider.name, receipt, tries)

    def _evidence(self, job: Job, begun: Begun) -> bytes:
        """Returns what an auditor would need; the books keep it only where the answer is drawn."""
        return self._packed(job.asked, begun.tally, begun.candidate.offer, begun.seal)

    async def _release(self, job: Job, error: BaseException) -> None:
        job.to(Stage.RELEASE)
        why = error.message if isinstance(error, MercatoError) else "its client left before the answer began"
        await self.desk.release(job.request, why[:200], job.attempts)
        job.to(Stage.REFUSED)

    async def _replay(self, job: Job, again: Replay) -> None:
        """Gives an answer again that was paid for before."""
        receipt = again.receipt
        job.to(Stage.DONE)
        if again.answer is None:
            raise Busy(
                f"request {receipt.request} had this idempotency key, and its answer is not kept any more",
                hint=f"see /v1/receipts/{receipt.request}, or use another key",
            )
        offered = self.catalogue.candidates(receipt.model)
        found = next((one for one in offered if one.provider.id == receipt.provider), None)
        known = answers.known(
            receipt.request, found.provider.name if found else receipt.provider,
            self._verified(job.asked, found) if found else "none; standing=gone", receipt.charged,
        )  # fmt: skip
        headers = [(b"content-type", again.kind.encode()), (b"idempotent-replayed", b"true"), *known]
        await job.client.start(200, headers)
        await job.client.write(again.answer, more=False)

    def _opening(self, job: Job, candidate: Candidate) -> list[tuple[bytes, bytes]]:
        """Returns the headers of an event stream."""
        known = self._known(job, candidate)
        return [(b"content-type", EVENTS), (b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no"), *known]

    def _known(self, job: Job, candidate: Candidate, cost: int | None = None) -> list[tuple[bytes, bytes]]:
        return answers.known(job.request, candidate.provider.name, self._verified(job.asked, candidate), cost)

    def _ended(
        self, job: Job, candidate: Candidate, end: End, *, usage: Usage | None = None, first: int | None = None,
        error: str = "",
    ) -> None:  # fmt: skip
        """Writes an attempt down, and tells the router, once."""
        if not job.began:
            return
        whole, job.began = round(self._loop.time() * 1000) - job.began, 0
        status = int(error) if error.isdecimal() else 0 if error and first is None else 200
        attempt = Attempt(candidate.provider.id, datetime.now(UTC), first, whole, status, end, error)
        job.attempts.append(attempt)
        self.router.ended(candidate.provider.id, attempt, usage, self._loop.time())
        self._loop.call_soon(self.metrics.attempt, candidate.provider.name, attempt)
