"""A dry run on an EVM chain: what a plan would do to its account, by balances, allowances and code before and after.

Logs say where to look; what is believed is what the chain answers. A token whose logs and balances disagree, one that
does not answer, and a node that cannot simulate leave gaps, and gaps are refused by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
EMPTY = int.from_bytes(keccak(b""), "big")
_BALANCE_OF, _BALANCE_OF_ITEM = keccak(b"balanceOf(address)")[:4], keccak(b"balanceOf(address,uint256)")[:4]
_OWNER_OF, _ALLOWANCE = keccak(b"ownerOf(uint256)")[:4], keccak(b"allowance(address,address)")[:4]
_PERMIT2 = keccak(b"allowance(address,address,address)")[:4]


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
            if len(sight.questions()) > MOST:
                return Rehearsed(_unclear("it touches more assets than a dry run looks at"), ())
            asked = probe(sight.questions())
            before, *done, after = chain.simulate([asked, *calls, asked])
            _check(plan, done)
            said = Said(account, prefix).read(log for outcome in done for log in outcome.logs)
            wider = _wider(sight, said)
            if wider == sight:
                return Rehearsed(_effects(chain, plan, sight, said, before, after), tuple(o.gas_used for o in done))
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


def _effects(chain: Chain, plan: Plan, sight: Sight, said: Said, before: Outcome, after: Outcome) -> Effects:
    questions = sight.questions()
    pairs = list(zip(answers(before, questions), answers(after, questions), strict=True))
    code, pairs = pairs[0], pairs[1:]
    sizes, pairs = pairs[: len(sight.called)], pairs[len(sight.called) :]
    held, allowed = pairs[: len(sight.assets)], pairs[len(sight.assets) :]
    native = f"{chain.name}/{NATIVE}"
    gaps: list[str] = []
    moves = []
    made = [place for place, step in enumerate(plan.steps) if not step.to]
    start = chain.nonce(sight.account) if made else 0
    creations = tuple(create_address(sight.account, start + place) for place in made)
    for asset, (old, new) in zip(sight.assets, held, strict=True):
        if "/erc721:" in asset:
            old, new = old or (0,), new or (0,)  # an item that does not exist has no owner to tell
        if any(asset.endswith(address) for address in creations):
            old = old or (0,)
        if old is None or new is None:
            gaps.append(f"{asset} does not tell its balance")
            continue
        units = _held(sight.account, asset, new) - _held(sight.account, asset, old)
        if asset != native and asset not in plan.accruing and units != said.net.get(asset, 0):
            gaps.append(f"{asset} says it moves {said.net.get(asset, 0)}, its balance moves {units}")
        if units:
            moves.append(Move(asset, units))
    grants = _grants(sight, allowed, gaps, str(chain.name))
    empty = {address for address, (size, _) in zip(sight.called, sizes, strict=True) if size == (0,)}
    paid = [Payment(native, step.to, step.value) for step in plan.steps if step.value and step.to]
    found = {move.asset: move.units for move in moves}
    trade = plan.trade
    return Effects(
        moves=tuple(moves),
        payments=(*paid, *said.payments),
        grants=grants,
        authorities=(*said.authorities, *_delegated(sight.account, code, gaps)),
        creations=creations,
        contracts=tuple(address for address in sight.called if address not in empty),
        fee_asset=native,
        impact_bps=trade.impact_bps(-found.get(trade.paid, 0), found.get(trade.got, 0)) if trade else None,
        logs=tuple(said.written),
        gaps=tuple(gaps),
    )


def _grants(
    sight: Sight, found: Sequence[tuple[tuple[int, ...] | None, tuple[int, ...] | None]], gaps: list[str], prefix: str
) -> tuple[Grant, ...]:
    grants = []
    for (token, spender, register), (old, new) in zip(sight.allowances, found, strict=True):
        asset = f"{prefix}/erc20:{token}"
        if old is None or new is None:
            gaps.append(f"{asset} does not tell what {spender} may spend")
        elif old != new:
            ends = new[1] if register != token else None
            # Past the old end nothing could be taken: an allowance that lasts longer is given anew.
            before = old[0] if ends is None or old[1] >= ends else 0
            grants.append(Grant(asset, spender, before, new[0], ends))
    return tuple(grants)


def _delegated(
    account: Address, code: tuple[tuple[int, ...] | None, tuple[int, ...] | None], gaps: list[str]
) -> tuple[Authority, ...]:
    """Returns the authority of whoever would decide what runs at the account; a gap where somebody does already."""
    none: tuple[tuple[int, ...], ...] = ((0,), (EMPTY,))
    before, after = code
    if before is None or after is None:
        gaps.append("the account's code could not be read")
        return ()
    if before not in none:
        gaps.append("code runs at the account by delegation (EIP-7702): whatever is sent may do something else")
    return () if after in none or after == before else (Authority(Power.CODE, account, account, True),)


def _readable(asset: str, prefix: str) -> bool:
    found = Asset.parse(asset)
    return str(found.chain) == prefix and found.namespace in {"slip44", "erc20", "erc721", "erc1155"}


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
