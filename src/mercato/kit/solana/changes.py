"""What happens to an account between two looks at everything that a transaction can change.

Money that leaves must be seen to arrive, be burned or be kept as a transfer fee: what goes elsewhere is a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mercato.chains.solana.extensions import rules
from mercato.chains.solana.messages import octets
from mercato.chains.solana.model import SYSTEM, TOKEN, TOKEN_2022, Account, Address
from mercato.chains.solana.tokens import mint as mint_of
from mercato.kit.model import Authority, Grant, Move, Payment, Power
from mercato.kit.solana.sight import Seen

NATIVE = "slip44:501"
WRAPPED = frozenset({"So11111111111111111111111111111111111111112", "9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXej9"})
#: Extensions of mints that take nothing from holders: confidential amounts (those of accounts are a gap), display of
#: amounts, groups and pointers to them. The numbers are those of `spl-token-2022-interface`, `extension/mod.rs`.
QUIET = frozenset({4, 10, 16, 20, 21, 22, 23, 25})


@dataclass(frozen=True)
class Scene:
    """The accounts that a transaction can change, before and after, as `me` sees them.

    `fee` is what it costs, `mints` are those of tokens of `me`, `within` says which called program a wallet belongs to.
    `sends` are the accounts between which its own instructions move money.
    """

    me: Address
    prefix: str
    named: Sequence[Address]
    before: Sequence[Seen]
    after: Sequence[Seen]
    fee: int
    mints: Mapping[Address, Account | None] = field(default_factory=dict)
    within: Mapping[Address, Address] = field(default_factory=dict)
    sends: Sequence[tuple[Address, Address]] = ()

    def pairs(self) -> Iterator[tuple[Address, Seen, Seen]]:
        """Yields each account with what lies there before and after."""
        yield from zip(self.named, self.before, self.after, strict=True)

    def mine(self) -> list[tuple[Address, Seen, Seen]]:
        """Returns the accounts that are, or become, one's own, or over which one has a say."""
        return [one for one in self.pairs() if any(self._concerns(seen) for seen in one[1:])]

    def purse(self, at: Address, old: Seen, new: Seen) -> Address:
        """Returns who may take the lamports of an account afterwards. Rent that is locked in a new mint over which
        nobody has a say counts as one's own: it is spent, and nobody is paid."""
        locked = new.mint is None and new.program in (TOKEN, TOKEN_2022) and not (old.there or new.blind)
        who = new.purse(old)
        return self.me if locked and who == at else who

    def _concerns(self, seen: Seen) -> bool:
        return seen.there and (seen.who == self.me or any(holder == self.me for _, holder in seen.says.values()))


def money(scene: Scene) -> tuple[list[Move], list[Payment], list[str]]:
    """Returns what moves to and from an account, whom it pays, and what goes where it cannot be seen.

    The chain's own money moves as the account itself has it: rent in accounts of one's own is spent until it comes
    back. What leaves such accounts for others is spent too.
    """
    native = f"{scene.prefix}/{NATIVE}"
    totals = _totals(scene, native)
    main = sum(new.lamports - old.lamports for at, old, new in scene.pairs() if at == scene.me) + scene.fee
    kept = [(old.lamports, new.lamports if new.purse(old) == scene.me else 0)
            for at, old, new in scene.pairs() if old.purse() == scene.me != at]  # fmt: skip
    losing = {asset for asset, of in totals.items() if asset != native and of.get(scene.me, 0) < 0}
    if main < 0 or any(new < old for old, new in kept):
        losing.add(native)
    coin = {native, *(f"{scene.prefix}/token:{mint}" for mint in WRAPPED)} & totals.keys()
    losing |= coin if losing & coin else set()  # what leaves as one of these may arrive as the other
    losing |= {f"{scene.prefix}/token:{mint}" for mint in _grown(scene)}
    sent = _sent(scene, native)
    payments = [
        Payment(asset, who, units)
        for asset, of in sorted(totals.items()) for who, units in sorted(of.items())
        if units > 0 and who != scene.me and (asset in losing or (asset, who) in sent)
    ]  # fmt: skip
    paid = {asset: sum(one.units for one in payments if one.asset == asset) for asset in losing}
    moved = {asset: of.get(scene.me, 0) for asset, of in totals.items()}
    moved[native] = min(main, -paid[native]) if paid.get(native) else main
    moves = [Move(asset, units) for asset, units in sorted(moved.items()) if units]
    return moves, payments, list(_unseen(scene, native, totals, paid))


def _sent(scene: Scene, native: str) -> set[tuple[str, Address]]:
    """Returns what instructions send to whom out of one's own accounts: a payment also where as much comes in, such as
    a reward that is passed on."""
    looks = {at: (old, new) for at, old, new in scene.pairs()}
    found = set()
    for source, target in scene.sends:
        old, new = looks.get(source, (None, None))
        payee = looks[target][1] if target in looks else None
        if source == scene.me and payee:
            found.add((native, scene.within.get(payee.purse(), payee.purse())))
        elif old and new and payee and scene.me in (old.who, new.who):
            found.add((f"{scene.prefix}/token:{old.mint or new.mint}", scene.within.get(payee.who, payee.who)))
    return found


def coin(scene: Scene) -> int:
    """Returns how much more of the chain's money is one's own, wrapped or not and in whichever account, fee aside:
    rent for accounts of one's own is no price of a trade, and what lay wrapped before is no gain."""
    return scene.fee + sum(
        sign * ((seen.lamports if purse == scene.me else 0) + (seen.units if _wraps(scene, seen) else 0))
        for at, old, new in scene.pairs()
        for sign, seen, purse in ((-1, old, old.purse()), (1, new, scene.purse(at, old, new)))
    )  # fmt: skip


def _wraps(scene: Scene, seen: Seen) -> bool:
    return seen.mint in WRAPPED and seen.who == scene.me


def used(scene: Scene) -> list[Address]:
    """Returns what one's powers are used on where nothing moves: mints of which more is made or accounts of others are
    frozen or thawed, validators that a stake begins to go to."""
    frozen = [
        new.mint for _, old, new in scene.pairs()
        if new.mint and old.there and old.frozen != new.frozen and new.who != scene.me
    ]  # fmt: skip
    chosen = [new.voter for _, old, new in scene.mine() if new.voter and new.voter != old.voter]
    return [*_grown(scene), *frozen, *chosen]


def grants(scene: Scene) -> list[Grant]:
    """Returns who may take how much out of one's token accounts, where that changes."""
    found = []
    for _, old, new in scene.mine():
        before = dict([old.allowed]) if old.allowed and old.who == scene.me else {}
        after = dict([new.allowed]) if new.allowed and new.who == scene.me else {}
        token = f"{scene.prefix}/token:{new.mint or old.mint}"
        for spender in sorted({*before, *after}):
            was, now = before.get(spender, 0), after.get(spender, 0)
            if was != now:
                found.append(Grant(token, spender, was, now))
    return found


def authorities(scene: Scene) -> list[Authority]:
    """Returns who gets a say over what is one's own, and what one gives out of hand."""
    found = []
    for at, old, new in scene.mine():
        if at == scene.me and new.program != SYSTEM:
            found.append(Authority(Power.OWNER, at, new.program, True))
        elif old.there and new.there and old.who == scene.me != new.who:
            found.append(Authority(Power.OWNER, at, new.who, True))
        for what in sorted({*old.says, *new.says} if new.there else ()):
            power, was = old.says.get(what, (None, ""))
            gets, now = new.says.get(what, (power, ""))
            if was == now:
                continue
            if now and now != scene.me and gets:
                found.append(Authority(gets, at, now, True))
            if was == scene.me and power:
                found.append(Authority(power, at, was, False))
    return found


def gaps(scene: Scene) -> list[str]:
    """Returns what changes about one's own accounts and tokens that nobody can judge, in words."""
    found = []
    key = octets(scene.me)
    for at, old, new in scene.pairs():
        blind = old.blind or new.blind
        named = key in old.rest or key in new.rest if blind else old.who == scene.me or new.who == scene.me
        named = named or (not blind and any(holder == scene.me for _, holder in new.says.values()))
        if named and new.there and new.rest != (old.rest if old.there else bytes(len(new.rest))):
            found.append(f"{at}, which {new.program} keeps for the account, changes in a way that cannot be read")
        if new.who == scene.me and new.frozen and not old.frozen and _freezer(scene, new.mint) != scene.me:
            found.append(f"{at} would be frozen: nothing could be taken out of it any more")
    return [*found, *(said for token, account in scene.mints.items() for said in _risks(scene.me, token, account))]


def touched(scene: Scene) -> set[Address]:
    """Returns the tokens of which one's own accounts hold more or less, begin or cease to be, or are frozen."""
    return {
        token
        for _, old, new in scene.mine() for token in (old.mint, new.mint)
        if token and (old.units, old.there, old.who, old.frozen) != (new.units, new.there, new.who, new.frozen)
    }  # fmt: skip


def _totals(scene: Scene, native: str) -> dict[str, dict[Address, int]]:
    """Returns by asset how much more, or less, each wallet has in the end."""
    found: dict[str, dict[Address, int]] = {native: {}}
    for at, old, new in scene.pairs():
        for sign, seen, purse in ((-1, old, old.purse()), (1, new, scene.purse(at, old, new))):
            _add(found, native, scene.within.get(purse, purse), sign * seen.lamports)
            if seen.mint:
                asset = f"{scene.prefix}/token:{seen.mint}"
                _add(found, asset, scene.within.get(seen.who, seen.who), sign * seen.units)
    return found


def _add(found: dict[str, dict[Address, int]], asset: str, who: Address, units: int) -> None:
    of = found.setdefault(asset, {})
    of[who] = of.get(who, 0) + units


def _unseen(
    scene: Scene, native: str, totals: Mapping[str, Mapping[Address, int]], paid: Mapping[str, int]
) -> Iterator[str]:
    wrapped = {f"{scene.prefix}/token:{mint}" for mint in WRAPPED}
    coin = scene.fee  # money of the chain and its wrapped form turn into each other
    for asset, of in totals.items():
        left = of.get(scene.me, 0) + paid.get(asset, 0)
        if asset == native or asset in wrapped:
            coin += left
        elif left + _gone(scene, asset) < 0:
            yield f"{-left - _gone(scene, asset)} of {asset} leave for where it cannot be seen"
    if coin < 0:
        yield f"{-coin} of {native} leave for where it cannot be seen"


def _grown(scene: Scene) -> list[Address]:
    """Returns the mints of which more is made by one's own right."""
    return [
        at for at, old, new in scene.pairs()
        if new.supply > old.supply and scene.me in (holder for _, holder in (*old.says.values(), *new.says.values()))
    ]  # fmt: skip


def _gone(scene: Scene, asset: str) -> int:
    """Returns the units of a token that are burned, or kept as its transfer fee."""
    token = asset.rpartition(":")[2]
    burned = sum(old.supply - new.supply for at, old, new in scene.pairs() if at == token)
    kept = sum(new.withheld - old.withheld for _, old, new in scene.pairs() if token in (old.mint, new.mint))
    return max(burned, 0) + max(kept, 0)


def _freezer(scene: Scene, token: Address | None) -> Address | None:
    found = mint_of(scene.mints.get(token)) if token else None
    return found.freezer if found else None


def _risks(me: Address, token: Address, account: Account | None) -> Iterator[str]:
    if mint_of(account) is None:
        yield f"the token {token} could not be read"
        return
    more = rules(account)
    if more.delegate not in (None, me):
        yield f"{more.delegate} may take the token {token} from whoever has it (permanent delegate)"
    if more.hook:
        yield f"the program {more.hook} runs whenever the token {token} is sent, and may refuse it (transfer hook)"
    if unread := sorted(set(more.unread) - QUIET):
        yield f"the token {token} has extensions that are not read here: {', '.join(map(str, unread))}"
