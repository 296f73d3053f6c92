"""What others can do to whoever holds a token: found by trying it in simulations, by its code, and by known slots.

A right counts where using it worked in a simulation, by the owner that the token tells or by a stranger. A tax is what
arrives less than was sent. What was not tried is unknown, and says why; nothing here repeats a word of the token.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mercato.chains import Address, Call, Chain, Interface, keccak
from mercato.chains.errors import BadAnswer, BadCall, Reverted
from mercato.chains.model import Outcome
from mercato.kit.evm.actions.contracts import ERC20
from mercato.kit.evm.actions.signatures import interface
from mercato.kit.model import FULL_BPS

ANN, BOB = Address("0x" + "a1" * 20), Address("0x" + "b2" * 20)  # nobody's accounts, who trade in simulations
ANYONE = "anyone"
SHARE = 1_000  # a trial buys for this part of what the pool holds, and at least for one unit
GAS, PATIENCE = 3_000_000, 600
_SWAP = "swapExactTokensForTokensSupportingFeeOnTransferTokens"
ROUTER = interface(f"{_SWAP}(uint256,uint256,address[],address,uint256)")
_OWNED = ("owner", "getOwner")
_OWNER = interface("owner() view returns (address)", "getOwner() view returns (address)")
#: Functions by which tokens give such a right; each is tried where the token's code knows it.
_USES = {
    "mint": ("mint(address,uint256)", "mint(uint256)", "issue(address,uint256)", "issue(uint256)"),
    "pause": ("pause()", "setPaused(bool)", "stop()"),
    "freeze": (
        "freeze(address)", "freezeAccount(address,bool)", "blacklist(address)", "addBlackList(address)",
        "addToBlacklist(address)", "setBlacklist(address,bool)", "blacklistAddress(address,bool)", "ban(address)",
    ),
}  # fmt: skip
#: Slots of EIP-1967: the code that a proxy runs, its administrator, and the beacon that names the code.
_CODE, _ADMIN, _BEACON = (
    int.from_bytes(keccak(f"eip1967.proxy.{name}".encode()), "big") - 1
    for name in ("implementation", "admin", "beacon")
)
_CLONE = bytes.fromhex("363d3d373d3d3d363d73")  # EIP-1167: a proxy whose code is fixed
_PUSH1, _PUSH32, _CALLCODE, _DELEGATECALL = 0x60, 0x7F, 0xF2, 0xF4


@dataclass
class Finding:
    """What was found: rights with their holders, taxes in bps (None: not measured), and what is unknown, with why."""

    rights: list[tuple[str, str, str]] = field(default_factory=list)
    taxes: dict[str, int | None] = field(default_factory=lambda: {"transfer": None, "buy": None, "sell": None})
    barred: bool = False
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Trial:
    """A token on a chain, and whoever tries it: an account that has some of it, or gets some by the calls `before`.

    `pair` trades it through `router` for `quote`, where they are known.
    """

    chain: Chain
    token: Address
    account: Address
    held: bool = False
    pair: Address | None = None
    router: Address | None = None
    quote: Address | None = None
    before: tuple[Call, ...] = ()

    def ask(self, of: Interface, function: str, *args: object) -> int | None:
        """Returns the word that the token answers; None where it does not."""
        try:
            data = self.chain.call(Call(ANN, self.token, of.encode(function, *args), gas=GAS))
        except (Reverted, BadAnswer, BadCall):
            return None
        return _word(data) if len(data) >= 32 else None

    def does(self, sender: Address, data: bytes) -> Call:
        """Returns a call of the token."""
        return Call(sender, self.token, data, gas=GAS)

    def pays(self, sender: Address, to: Address, units: int) -> Call:
        """Returns a transfer."""
        return self.does(sender, ERC20.encode("transfer", to, units))

    def has(self, who: Address) -> Call:
        """Returns the question for a balance."""
        return self.does(ANN, ERC20.encode("balanceOf", who))

    def trades(self, sell: Address, buy: Address, units: int) -> tuple[Call, Call]:
        """Returns the account's approval and its trade, for whatever it brings."""
        assert self.router, "a trade needs a router"
        end = self.chain.time() + PATIENCE
        swap = ROUTER.encode(_SWAP, units, 0, [sell, buy], self.account, end)
        approval = Call(self.account, sell, ERC20.encode("approve", self.router, units), gas=GAS)
        return approval, Call(self.account, self.router, swap, gas=GAS)

    def done(self, *calls: Call) -> tuple[Outcome, ...]:
        """Returns what the calls would do once the account has some of the token."""
        return self.chain.simulate([*self.before, *calls])[len(self.before) :]

    def units(self) -> int:
        """Returns how much of the token the account has then."""
        return _word(self.done(self.has(self.account))[0].output)


def examine(trial: Trial) -> Finding:
    """Returns what others can do to whoever holds the token."""
    found = Finding()
    told = next((word for name in _OWNED if (word := trial.ask(_OWNER, name)) is not None), None)
    owner = None if not told else Address("0x" + told.to_bytes(32, "big")[-20:].hex())
    if owner:
        found.rights.append(("owner", owner, ""))
    code = _upgrades(trial, found)
    callers = [(ANN, ANYONE), *([(owner, str(owner))] if owner else [])]
    trial = _bought(trial, found)
    _sold(trial, found)
    _passed(trial, found)
    named = selectors(code)
    for power, signatures in _USES.items():
        if known := [data for item in signatures if (data := _use(item))[:4] in named]:
            _tried(trial, found, power, known, callers)
    return found


def selectors(code: bytes) -> set[bytes]:
    """Returns the four-byte words that code pushes, among them the functions that it knows."""
    return {data for opcode, data in _opcodes(code) if opcode == _PUSH1 + 3}


def _opcodes(code: bytes) -> list[tuple[int, bytes]]:
    found, place = [], 0
    while place < len(code):
        size = code[place] - _PUSH1 + 1 if _PUSH1 <= code[place] <= _PUSH32 else 0
        found.append((code[place], code[place + 1 : place + 1 + size]))
        place += 1 + size
    return found


def _upgrades(trial: Trial, found: Finding) -> bytes:
    """Notes who can replace the token's code, and returns the code that runs."""
    code = trial.chain.code(trial.token)
    if code.startswith(_CLONE):
        return trial.chain.code(Address("0x" + code[len(_CLONE) : len(_CLONE) + 20].hex()))
    target, admin, beacon = (trial.chain.storage(trial.token, slot) for slot in (_CODE, _ADMIN, _BEACON))
    if target or beacon:
        holder = _place(admin) if admin else _place(beacon) if beacon else ""
        found.rights.append(("upgrade", holder or "unknown", "the proxy's administrator" if admin else ""))
        if not admin:
            found.unknown.append("upgrade: who may replace the code is decided by code that is not read here")
        return trial.chain.code(_place(target)) if target else b""
    if any(opcode in (_CALLCODE, _DELEGATECALL) for opcode, _ in _opcodes(code)):
        found.unknown.append("upgrade: its code runs other code, which may be replaceable")
    return code


def _bought(trial: Trial, found: Finding) -> Trial:
    """Measures a small purchase, and returns the trial of whoever made it, where the account has what it costs."""
    if not (trial.pair and trial.router and trial.quote):
        found.unknown.append("tax of buying and selling: no pool was named")
        return trial
    asked = ERC20.encode("balanceOf", trial.account), ERC20.encode("balanceOf", trial.pair)
    own, pool = (_word(trial.chain.call(Call(ANN, trial.quote, data, gas=GAS))) for data in asked)
    if not own or not pool:
        found.unknown.append("tax of buying: the account has nothing to pay with, or the pool is empty")
        return trial
    buys = trial.trades(trial.quote, trial.token, min(own, max(pool // SHARE, 1)))
    both = (trial.has(trial.pair), trial.has(trial.account))
    first, had, _, paid, last, has = trial.chain.simulate([*both, *buys, *both])
    left, came = _word(first.output) - _word(last.output), _word(has.output) - _word(had.output)
    if not paid.succeeded or left <= 0:
        found.unknown.append("tax of buying: the purchase failed in the trial")
        return trial
    found.taxes["buy"] = _tax(left, came)
    return replace(trial, held=came > 0 or trial.held, before=buys)


def _sold(trial: Trial, found: Finding) -> None:
    if not (trial.held and trial.pair and trial.quote):
        return
    both = (trial.has(trial.pair), trial.has(trial.account))
    sells = trial.trades(trial.token, trial.quote, max(trial.units() // 2, 1))
    first, had, _, sold, last, has = trial.done(*both, *sells, *both)
    left, came = _word(had.output) - _word(has.output), _word(last.output) - _word(first.output)
    if sold.succeeded and left > 0:
        found.taxes["sell"] = _tax(left, came)
    else:
        found.barred = True
        found.unknown.append("tax of selling: the sale failed in the trial")


def _passed(trial: Trial, found: Finding) -> None:
    if not trial.held:
        found.unknown.append("tax: the account has none of the token to try it with")
        return
    units = max(trial.units() // 2, 1)
    _, first, paid, last = trial.done(
        trial.pays(trial.account, ANN, units), trial.has(BOB), trial.pays(ANN, BOB, units // 2), trial.has(BOB)
    )
    if paid.succeeded and units > 1:
        found.taxes["transfer"] = _tax(units // 2, _word(last.output) - _word(first.output))
    else:
        found.unknown.append("tax: a transfer failed in the trial")


def _tried(trial: Trial, found: Finding, power: str, calls: list[bytes], callers: list[tuple[Address, str]]) -> None:
    """Notes the right where using it works: by anybody, or else by the owner."""
    if power != "mint" and not trial.held:
        found.unknown.append(f"{power}: its code has such a function, and the account has no token to try it with")
        return
    for sender, name in callers:
        if any(_works(trial, power, trial.does(sender, data)) for data in calls):
            found.rights.append((power, name, "it worked in a simulation"))
            return
    found.unknown.append(f"{power}: its code has such a function, and it is not known who may use it")


def _works(trial: Trial, power: str, use: Call) -> bool:
    if power == "mint":
        who = [trial.has(ANN), trial.has(use.sender)]
        *old, used, new, other = trial.chain.simulate([*who, use, *who])
        return used.succeeded and any(_word(b.output) > _word(a.output) for a, b in zip(old, (new, other), strict=True))
    paid, passed = trial.pays(trial.account, ANN, 1), trial.pays(ANN, BOB, 1)
    first, used, stopped = trial.done(paid, use, passed)
    return first.succeeded and used.succeeded and trial.done(paid, passed)[1].succeeded and not stopped.succeeded


def _tax(left: int, came: int) -> int:
    """Returns what was kept, in bps, rounded up."""
    return max(-(-(left - came) * FULL_BPS // left), 0)


def _use(signature: str) -> bytes:
    """Returns the call that tries a right: on Ann's account, a million units, yes."""
    words = {"address": int(ANN, 16), "uint256": 1_000_000, "bool": 1}
    kinds = signature[signature.index("(") + 1 : -1].split(",")
    given = b"".join(words[kind].to_bytes(32, "big") for kind in kinds if kind)
    return keccak(signature.encode())[:4] + given


def _word(data: bytes) -> int:
    return int.from_bytes(data[:32], "big")


def _place(word: int) -> Address:
    return Address("0x" + word.to_bytes(32, "big")[-20:].hex())
