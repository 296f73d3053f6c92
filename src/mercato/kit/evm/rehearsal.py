"""A dry run on an EVM chain: what a plan would do to its account, by balances, allowances and code at each step.

Logs say where to look; what is believed is what the chain answers. A token whose logs and balances disagree, one that
does not answer, and a node that cannot simulate leave gaps, and gaps are refused by default.
Steps are transactions of their own: one may be the last that happens, and others may act between two of them. So what
leaves counts although a later step brings it back, and so does an allowance that a later step takes back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice, pairwise

from mercato.chains import Address, Call, Chain
from mercato.chains.addresses import create_address, keccak
from mercato.chains.errors import BadAnswer
from mercato.chains.model import Log, Outcome
from mercato.core.chain import Asset
from mercato.kit.errors import WouldFail
from mercato.kit.evm.probe import MOST, Question, answers, probe
from mercato.kit.evm.words import Said
from mercato.kit.model import Authority, Effects, Grant, Move, Payment, Plan, Power

NATIVE = "slip44:60"
PASSES = 4  # each looks at what the one before it found
ENDLESS = 2**48  # an end after every end that Permit2 can write
EMPTY = int.from_bytes(keccak(b""), "big")
_BALANCE_OF, _BALANCE_OF_ITEM = keccak(b"balanceOf(address)")[:4], keccak(b"balanceOf(address,uint256)")[:4]
_OWNER_OF, _ALLOWANCE = keccak(b"ownerOf(uint256)")[:4], keccak(b"allowance(address,address)")[:4]
_PERMIT2 = keccak(b"allowance(address,address,address)")[:4]
Told = Sequence[tuple[int, ...] | None]
"""The answers to one question: at first, and after each step."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the dry run found: effects without the fee, and the gas of each step."""

    effects: Effects
    gas: tuple[int, ...]


@dataclass(frozen=True)
class Sight:
    """What to read before and after: assets by name, allowances, and the accounts whose code matters."""

    account: Address
    assets: tuple[str, ...]
    allowances: tuple[tuple[Address, Address, Address], ...]
    called: tuple[Address, ...]

    @cached_property
    def questions(self) -> list[Question]:
        """Returns what is asked, in the order in which `rehearse` reads the answers."""
        return [
            Question("code hash", self.account),
            *(Question("code size", address) for address in self.called),
            *(_balance(self.account, asset) for asset in self.assets),
            *(_allowance(self.account, *item) for item in self.allowances),
        ]


def rehearse(chain: Chain, account: Address, plan: Plan, assets: Iterable[str] = ()) -> Rehearsed:
    """Returns what a plan would do to its account; `assets` are looked at whatever the logs say.

    WouldFail where a step would; nothing is sent.
    """
    prefix = str(chain.name)
    calls = [Call(account, Address(step.to) if step.to else None, step.data, step.value) for step in plan.steps]
    known = {item for item in (*assets, *plan.assets) if _readable(item, prefix)} | {f"{prefix}/{NATIVE}"}
    sight = Sight(
        account, tuple(sorted(known)), (), tuple(sorted({Address(step.to) for step in plan.steps if step.to}))
    )
    try:
        for _ in range(PASSES):
            if len(sight.questions) > MOST:
                return Rehearsed(_unclear("it touches more assets than a dry run looks at"), ())
            asked = probe(sight.questions)
            found = chain.simulate([asked, *(one for call in calls for one in (call, asked))])
            looks, done = found[::2], found[1::2]
            _check(plan, done)
            said = Said(account, prefix).read(log for outcome in done for log in outcome.logs)
            wider = _wider(sight, said)
            if wider == sight:
                return Rehearsed(_effects(chain, plan, sight, said, looks), tuple(one.gas_used for one in done))
            sight = wider
    except BadAnswer:
        return Rehearsed(_unclear("the node cannot simulate it"), ())
    return Rehearsed(_unclear("each dry run touched other assets than the one before"), ())


def receipts(account: Address, prefix: str, logs: Iterable[Log]) -> tuple[tuple[Move, ...], tuple[Payment, ...]]:
    """Returns what logs of a block say that tokens did to the account: net moves and payments."""
    said = Said(account, prefix).read(logs)
    return tuple(Move(asset, units) for asset, units in sorted(said.net.items()) if units), tuple(said.payments)


def _check(plan: Plan, done: Sequence[Outcome]) -> None:
    for step, outcome in zip(plan.steps, done, strict=True):
        if not outcome.succeeded:
            said = repr(outcome.reason[:200]) if outcome.reason else "no reason"
            raise WouldFail(f"step {step.title!r} would fail, the contract gave {said}", hint="nothing was signed")


def _wider(sight: Sight, said: Said) -> Sight:
    assets = tuple(sorted({*sight.assets, *said.net}))
    return Sight(sight.account, assets, tuple(sorted({*sight.allowances, *said.allowances})), sight.called)


def _effects(chain: Chain, plan: Plan, sight: Sight, said: Said, looks: Sequence[Outcome]) -> Effects:
    questions = sight.questions
    code, *told = zip(*(answers(look, questions) for look in looks), strict=True)
    rest = iter(told)
    sizes, held, allowed = (list(islice(rest, len(of))) for of in (sight.called, sight.assets, sight.allowances))
    native = f"{chain.name}/{NATIVE}"
    gaps: list[str] = []
    made = [place for place, step in enumerate(plan.steps) if not step.to]
    start = chain.nonce(sight.account) if made else 0
    creations = tuple(create_address(sight.account, start + place) for place in made)
    courses = dict(_courses(sight, held, creations, gaps))
    for asset, course in courses.items():
        if asset != native and asset not in plan.accruing and course[-1] != said.net.get(asset, 0):
            gaps.append(f"{asset} says it moves {said.net.get(asset, 0)}, its balance moves {course[-1]}")
    moves = {asset: min(course) if min(course) < 0 else course[-1] for asset, course in courses.items()}
    grants = tuple(_grants(sight, allowed, courses, gaps, str(chain.name)))
    empty = {address for address, size in zip(sight.called, sizes, strict=True) if set(size) == {(0,)}}
    paid = [Payment(native, step.to, step.value) for step in plan.steps if step.value and step.to]
    trade = plan.trade
    return Effects(
        moves=tuple(Move(asset, units) for asset, units in moves.items() if units),
        payments=(*paid, *said.payments),
        grants=grants,
        authorities=(*said.authorities, *_delegated(sight.account, code[0], code[-1], gaps)),
        creations=creations,
        contracts=tuple(address for address in sight.called if address not in empty),
        fee_asset=native,
        impact_bps=trade.impact_bps(-moves.get(trade.paid, 0), moves.get(trade.got, 0)) if trade else None,
        logs=tuple(said.written),
        gaps=tuple(gaps),
    )


def _courses(
    sight: Sight, held: Sequence[Told], creations: Collection[str], gaps: list[str]
) -> Iterator[tuple[str, list[int]]]:
    """Yields each asset with how much more of it the account has at first and after each step."""
    for asset, told in zip(sight.assets, held, strict=True):
        if "/erc721:" in asset:
            told = [one or (0,) for one in told]  # an item that does not exist has no owner to tell
        elif any(asset.endswith(address) for address in creations):
            told = [*(one or (0,) for one in told[:-1]), told[-1]]
        known = [one for one in told if one is not None]
        if len(known) < len(told):
            gaps.append(f"{asset} does not tell its balance")
            continue
        first = _held(sight.account, asset, known[0])
        yield asset, [_held(sight.account, asset, one) - first for one in known]


def _grants(
    sight: Sight, allowed: Sequence[Told], courses: Mapping[str, Sequence[int]], gaps: list[str], prefix: str
) -> Iterator[Grant]:
    for (token, spender, register), told in zip(sight.allowances, allowed, strict=True):
        asset = f"{prefix}/erc20:{token}"
        known = [(one[0], one[1] if register != token else ENDLESS) for one in told if one is not None]
        if len(known) < len(told):
            gaps.append(f"{asset} does not tell what {spender} may spend")
            continue
        first, most = known[0], _most(known, courses.get(asset) or [0] * len(known))
        if most != first:
            # Past the old end nothing could be taken: an allowance that lasts longer is given anew.
            before = first[0] if first[1] >= most[1] else 0
            yield Grant(asset, spender, before, most[0], most[1] if register != token else None)


def _most(allowed: Sequence[tuple[int, int]], course: Sequence[int]) -> tuple[int, int]:
    """Returns the allowance, and its end, at the last step; or a wider one that was there in between and went without
    being used: whoever had it could have used it."""
    most = allowed[-1]
    for place, (old, new) in enumerate(pairwise(allowed)):
        used = max(course[place] - course[place + 1], 0)
        if (old[0] - new[0] > used or old[1] > new[1]) and not _covers(most, old) and not _covers(allowed[0], old):
            most = old
    return most


def _covers(wide: tuple[int, int], narrow: tuple[int, int]) -> bool:
    return wide[0] >= narrow[0] and wide[1] >= narrow[1]


def _delegated(
    account: Address, before: tuple[int, ...] | None, after: tuple[int, ...] | None, gaps: list[str]
) -> tuple[Authority, ...]:
    """Returns the authority of whoever would decide what runs at the account; a gap where somebody does already."""
    none: tuple[tuple[int, ...], ...] = ((0,), (EMPTY,))
    if before is None or after is None:
        gaps.append("the account's code could not be read")
        return ()
    if before not in none:
        gaps.append("code runs at the account by delegation (EIP-7702): whatever is sent may do something else")
    return () if after in none or after == before else (Authority(Power.CODE, account, account, True),)


@lru_cache(4096)
def _readable(asset: str, prefix: str) -> bool:
    found = Asset.parse(asset)
    return str(found.chain) == prefix and found.namespace in {"slip44", "erc20", "erc721", "erc1155"}


@lru_cache(4096)
def _balance(account: Address, asset: str) -> Question:
    found = Asset.parse(asset)
    if found.namespace == "slip44":
        return Question("balance", account)
    contract, owner = Address(found.reference), _word(account)
    if found.namespace == "erc20":
        return Question("call", contract, _BALANCE_OF + owner)
    item = int(found.item or 0).to_bytes(32, "big")
    data = _OWNER_OF + item if found.namespace == "erc721" else _BALANCE_OF_ITEM + owner + item
    return Question("call", contract, data)


def _held(account: Address, asset: str, words: tuple[int, ...]) -> int:
    return int(words[0] == int(account, 16)) if "/erc721:" in asset else words[0]


def _allowance(account: Address, token: Address, spender: Address, register: Address) -> Question:
    if register != token:
        return Question("call", register, _PERMIT2 + _word(account) + _word(token) + _word(spender), words=3)
    return Question("call", token, _ALLOWANCE + _word(account) + _word(spender))


def _word(address: Address) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


def _unclear(why: str) -> Effects:
    return Effects(gaps=(why,))
