"""Methods that read accounts: plain ones, a program's, and tokens."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence

from mercato.chains.facade.dispatch import Method
from mercato.chains.facade.faults import Fault
from mercato.chains.solana import base58
from mercato.chains.solana.facade import wire
from mercato.chains.solana.facade.faults import CONTEXT, params
from mercato.chains.solana.facade.parsed import Json, amount_json
from mercato.chains.solana.facade.shapes import account_json
from mercato.chains.solana.local import LocalCluster
from mercato.chains.solana.model import Account, Address
from mercato.chains.solana.tokens import PROGRAMS, mint, token_account

VERSION = "0.1.0-mercato"  # in the place where a node says its own; there is none here
AT_ONCE, FILTERS = 100, 4
Takes = Callable[[Account], bool]


class State:
    """Answers about accounts of one cluster."""

    def __init__(self, cluster: LocalCluster) -> None:
        self._cluster = cluster

    def methods(self) -> Mapping[str, Method]:
        """Returns what this answers, by its JSON-RPC name."""
        return {
            "getAccountInfo": self.account,
            "getMultipleAccounts": self.several,
            "getBalance": lambda given: self.within(given, 1, self._cluster.balance(self._asked(given))),
            "getProgramAccounts": self.of_program,
            "getTokenAccountsByOwner": lambda given: self.of_owner(given, "owner"),
            "getTokenAccountsByDelegate": lambda given: self.of_owner(given, "delegate"),
            "getTokenAccountBalance": self.token_balance,
            "getTokenSupply": self.token_supply,
            "getTokenLargestAccounts": self.largest,
            "getMinimumBalanceForRentExemption": self.rent,
        }

    def context(self) -> Json:
        """Returns where an answer comes from."""
        return {"apiVersion": VERSION, "slot": self._cluster.block().slot}

    def within(self, given: Sequence[object], place: int, value: object) -> Json:
        """Returns a value with its context; Fault where the options at a place want a later slot."""
        self.reached(wire.options(given, place))
        return {"context": self.context(), "value": value}

    def reached(self, options: Mapping[str, object]) -> None:
        """Raises Fault where the options want a slot that has not come."""
        least, newest = options.get("minContextSlot"), self._cluster.block().slot
        if least is not None and wire.number(least, "minContextSlot") > newest:
            raise Fault(CONTEXT, "Minimum context slot has not been reached", {"contextSlot": newest})

    def look(self, address: Address) -> Account | None:
        """Returns what lies at an address."""
        return self._cluster.accounts([address])[0]

    def shown(self, account: Account | None, options: Mapping[str, object], how: str = "") -> Json | None:
        """Returns an account as the options want it."""
        if account is None:
            return None
        return account_json(account, how or wire.encoding(options), wire.part(options), self.look)

    def account(self, given: Sequence[object]) -> Json:
        """`getAccountInfo`."""
        options = wire.options(given, 1)
        return self.within(given, 1, self.shown(self.look(self._asked(given)), options))

    def several(self, given: Sequence[object]) -> Json:
        """`getMultipleAccounts`: base64 unless something else is wanted."""
        named = wire.items(wire.argument(given, 0, "addresses"), "addresses", AT_ONCE)
        options = wire.options(given, 1)
        how = wire.encoding(options) if options.get("encoding") else "base64"
        found = self._cluster.accounts([wire.address(one) for one in named])
        return self.within(given, 1, [self.shown(one, options, how) for one in found])

    def of_program(self, given: Sequence[object]) -> object:
        """`getProgramAccounts`, with its filters."""
        options = wire.options(given, 1)
        wanted = filters(options)
        found = self._cluster.owned(self._asked(given)).items()
        listed = self._listed(((at, one) for at, one in found if all(takes(one) for takes in wanted)), options)
        return self.within(given, 1, listed) if wire.flag(options, "withContext") else listed

    def of_owner(self, given: Sequence[object], role: str) -> Json:
        """`getTokenAccountsByOwner` and `…ByDelegate`, of a mint or of a program."""
        who, options = self._asked(given), wire.options(given, 2)
        token, programs = self._chosen(wire.argument(given, 1, "mint or programId"))
        found = []
        for at, account in (pair for program in programs for pair in self._cluster.owned(program).items()):
            held = token_account(account)
            if held and who == (held.owner if role == "owner" else held.delegate) and token in (None, held.mint):
                found.append((at, account))
        return self.within(given, 2, self._listed(found, options))

    def token_balance(self, given: Sequence[object]) -> Json:
        """`getTokenAccountBalance`."""
        account = self.look(self._asked(given))
        if account is None:
            raise params("Invalid param: could not find account")
        held = token_account(account)
        of = mint(self.look(held.mint)) if held else None
        if held is None or of is None:
            raise params("Invalid param: not a Token account")
        return self.within(given, 1, amount_json(held.amount, of.decimals))

    def token_supply(self, given: Sequence[object]) -> Json:
        """`getTokenSupply`."""
        found = self._mint(self._asked(given))
        return self.within(given, 1, amount_json(*found))

    def largest(self, given: Sequence[object]) -> Json:
        """`getTokenLargestAccounts`: the twenty that hold most of a token."""
        at = self._asked(given)
        _, decimals = self._mint(at)
        account = self.look(at)
        found = self._cluster.owned(account.owner) if account else {}
        held = [
            (held.amount, where) for where, one in found.items() if (held := token_account(one)) and held.mint == at
        ]
        top = sorted(held, key=lambda pair: (-pair[0], pair[1]))[:20]
        return self.within(given, 1, [{"address": at, **amount_json(amount, decimals)} for amount, at in top])

    def rent(self, given: Sequence[object]) -> int:
        """`getMinimumBalanceForRentExemption`."""
        return self._cluster.rent(wire.number(wire.argument(given, 0, "size"), "size"))

    def _asked(self, given: Sequence[object]) -> Address:
        return wire.address(wire.argument(given, 0, "address"))

    def _mint(self, at: Address) -> tuple[int, int]:
        account = self.look(at)
        if account is None:
            raise params("Invalid param: could not find mint")
        found = mint(account)
        if found is None:
            raise params("Invalid param: not a Token mint")
        return found.supply, found.decimals

    def _chosen(self, value: object) -> tuple[Address | None, Iterable[Address]]:
        """Returns the mint that is wanted, if one is, and the programs whose accounts are looked through."""
        match value:
            case {"mint": named}:
                at = wire.address(named)
                self._mint(at)
                account = self.look(at)
                return at, [account.owner] if account else []
            case {"programId": named}:
                program = wire.address(named)
                if program not in PROGRAMS:
                    raise params("Invalid param: unrecognized Token program id")
                return None, [program]
        raise params(f"Invalid params: filter was {wire.shortened(value)}, expected mint or programId.")

    def _listed(self, found: Iterable[tuple[Address, Account]], options: Mapping[str, object]) -> list[Json]:
        return [{"pubkey": at, "account": self.shown(account, options)} for at, account in sorted(found)]


def filters(options: Mapping[str, object]) -> list[Takes]:
    """Returns the filters of the options: by size, by bytes at a place, or whether a token account is complete."""
    return [_filter(one) for one in wire.items(options.get("filters") or [], "filters", FILTERS)]


def _filter(value: object) -> Takes:
    match value:
        case {"dataSize": size}:
            wanted = wire.number(size, "dataSize")
            return lambda account: len(account.data) == wanted
        case {"memcmp": dict() as compared}:
            offset, part = wire.number(compared.get("offset"), "offset"), _bytes(compared)
            return lambda account: account.data[offset : offset + len(part)] == part
        case "tokenAccountState" | {"tokenAccountState": _}:
            return lambda account: token_account(account) is not None
    raise params(f"Invalid params: filter was {wire.shortened(value)}, expected dataSize or memcmp.")


def _bytes(compared: Mapping[str, object]) -> bytes:
    text, how = compared.get("bytes"), compared.get("encoding") or "base58"
    if not isinstance(text, str) or len(text) > 180:
        raise params("Invalid param: filter provided data is invalid or too long")
    try:
        return base64.b64decode(text, validate=True) if how == "base64" else base58.decode(text)
    except ValueError:
        raise params("Invalid param: filter provided data could not be decoded") from None
