"""What logs of the known standards say about an account: tokens moved, allowances and authorities given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mercato.chains import Address, Interface, Log, keccak
from mercato.kit.model import Authority, Payment, Power, Written


def topic(signature: str) -> bytes:
    """Returns the topic of an event."""
    return keccak(signature.encode())


TRANSFER = topic("Transfer(address,address,uint256)")
APPROVAL = topic("Approval(address,address,uint256)")
FOR_ALL = topic("ApprovalForAll(address,address,bool)")
SINGLE = topic("TransferSingle(address,address,address,uint256,uint256)")
BATCH = topic("TransferBatch(address,address,address,uint256[],uint256[])")
DEPOSIT = topic("Deposit(address,uint256)")  # WETH9 writes no Transfer where it mints and burns
WITHDRAWAL = topic("Withdrawal(address,uint256)")
OWNERSHIP = topic("OwnershipTransferred(address,address)")
ROLE = topic("RoleGranted(bytes32,address,address)")
PERMIT2_APPROVAL = topic("Approval(address,address,address,uint160,uint48)")
PERMIT2_PERMIT = topic("Permit(address,address,address,uint160,uint48,uint48)")

NAMES = {
    TRANSFER: "Transfer", APPROVAL: "Approval", FOR_ALL: "ApprovalForAll", SINGLE: "TransferSingle",
    BATCH: "TransferBatch", DEPOSIT: "Deposit", WITHDRAWAL: "Withdrawal", OWNERSHIP: "OwnershipTransferred",
    ROLE: "RoleGranted", PERMIT2_APPROVAL: "Approval", PERMIT2_PERMIT: "Permit",
}  # fmt: skip
_BATCH = Interface(
    [
        {
            "type": "event",
            "name": "TransferBatch",
            "inputs": [
                {"name": "operator", "type": "address", "indexed": True},
                {"name": "from", "type": "address", "indexed": True},
                {"name": "to", "type": "address", "indexed": True},
                {"name": "ids", "type": "uint256[]", "indexed": False},
                {"name": "values", "type": "uint256[]", "indexed": False},
            ],
        }
    ]
)


@dataclass
class Said:
    """What the logs say about one account, on the chain whose assets begin with `prefix`. None of it is believed yet:
    balances and allowances are read, and compared with `net`."""

    account: Address
    prefix: str
    net: dict[str, int] = field(default_factory=dict)
    payments: list[Payment] = field(default_factory=list)
    #: (token, spender, register) of allowances that were touched; the register is the token itself, or Permit2
    allowances: set[tuple[Address, Address, Address]] = field(default_factory=set)
    authorities: list[Authority] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)

    def read(self, logs: Iterable[Log]) -> Said:
        """Takes in logs in their order."""
        for log in logs:
            self._read(log)
            self.written.append(_shown(log))
        return self

    def _read(self, log: Log) -> None:
        kind = log.topics[0] if log.topics else b""
        who = [_address(item) for item in log.topics[1:]]
        if kind == TRANSFER and len(who) == 2 and len(log.data) == 32:
            self._moved(f"erc20:{log.address}", who[0], who[1], _number(log.data))
        elif kind == TRANSFER and len(who) == 3:
            self._moved(f"erc721:{log.address}/{_number(log.topics[3])}", who[0], who[1], 1)
        elif kind == SINGLE and len(who) == 3 and len(log.data) == 64:
            asset = f"erc1155:{log.address}/{_number(log.data[:32])}"
            self._moved(asset, who[1], who[2], _number(log.data[32:]))
        elif kind == BATCH and len(who) == 3:
            self._batch(log, who[1], who[2])
        elif kind in (DEPOSIT, WITHDRAWAL) and len(who) == 1 and len(log.data) == 32 and who[0] == self.account:
            units = _number(log.data) if kind == DEPOSIT else -_number(log.data)
            self._add(f"{self.prefix}/erc20:{log.address}", units)
        else:
            self._allowed(kind, who, log)

    def _allowed(self, kind: bytes, who: list[Address], log: Log) -> None:
        if kind == APPROVAL and len(who) == 2 and who[0] == self.account:
            self.allowances.add((log.address, who[1], log.address))
        elif kind in (PERMIT2_APPROVAL, PERMIT2_PERMIT) and len(who) == 3 and who[0] == self.account:
            self.allowances.add((who[1], who[2], log.address))
        elif kind == APPROVAL and len(who) == 3 and who[0] == self.account:
            subject = f"{self.prefix}/erc721:{log.address}/{_number(log.topics[3])}"
            self.authorities.append(Authority(Power.DELEGATE, subject, who[1], bool(int(who[1], 16))))
        elif kind == FOR_ALL and len(who) == 2 and who[0] == self.account:
            self.authorities.append(Authority(Power.OPERATOR, log.address, who[1], any(log.data)))
        elif kind == OWNERSHIP and len(who) == 2 and who[0] == self.account:
            self.authorities.append(Authority(Power.OWNER, log.address, who[1], given=True))
        elif kind == ROLE and len(who) == 3 and self.account == who[2] != who[1]:
            self.authorities.append(Authority(Power.OWNER, log.address, who[1], True))

    def _batch(self, log: Log, sender: Address, to: Address) -> None:
        event = _BATCH.event(log)
        if event is not None:
            for item, units in zip(event.values["ids"], event.values["values"], strict=False):
                self._moved(f"erc1155:{log.address}/{item}", sender, to, units)

    def _moved(self, asset: str, sender: Address, to: Address, units: int) -> None:
        named = f"{self.prefix}/{asset}"
        if sender == self.account:
            self._add(named, -units)
            if to != self.account:
                self.payments.append(Payment(named, to, units))
        if to == self.account:
            self._add(named, units)

    def _add(self, asset: str, units: int) -> None:
        self.net[asset] = self.net.get(asset, 0) + units


def _shown(log: Log) -> Written:
    kind = log.topics[0] if log.topics else b""
    values = {f"topic{place}": "0x" + item.hex() for place, item in enumerate(log.topics[1:], start=1)}
    return Written(log.address, NAMES.get(kind, "0x" + kind.hex()), {**values, "data": "0x" + log.data[:256].hex()})


def _address(word: bytes) -> Address:
    return Address("0x" + word[-20:].hex())


def _number(word: bytes) -> int:
    return int.from_bytes(word, "big")
