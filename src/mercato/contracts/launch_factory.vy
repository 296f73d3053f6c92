# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
# SPDX-License-Identifier: Apache-2.0
"""
@title Factory of launches
@notice Puts an approved launch on the chain, whole: token, auction, escrow and vestings, at addresses that follow from
        this factory and the application's hash.
        Invariants:
        - an application is launched once at most;
        - predict(application) is where create(...) puts it, whatever the other terms are;
        - the supply is the auction's tokens and the allocations, to the wei;
        - the creator's money at once is within the graduator's shill bound;
        - the curator chooses what is created and may abort an auction before it opens; after that nobody has power here.
"""

# interfaces

import i_graduator

interface Assembler:
    def assemble(
        launch: _launch.Launch, quote: address, uptime: address, curator: address
    ) -> (address, address, address): nonpayable

interface Graduator:
    def quote() -> address: view
    def platform_bps() -> uint256: view


# modules

import _clone
import _launch


# constants

BPS: constant(uint256) = 10_000
MAX_SUPPLY: constant(uint256) = 2**112 - 1


# immutables

ASSEMBLER: public(immutable(address))
QUOTE: public(immutable(address))
UPTIME: public(immutable(address))
CURATOR: public(immutable(address))


# events

event LaunchCreated:
    application: indexed(bytes32)
    token: indexed(address)
    auction: indexed(address)
    escrow: address
    creator: address
    graduator: address


# state

graduators: public(DynArray[address, 4])
auction_of: public(HashMap[bytes32, address])  # application -> auction
application_of: public(HashMap[address, bytes32])  # auction -> application; empty for what was not made here


# construction

@deploy
def __init__(assembler: address, quote: address, uptime: address, curator: address, graduators: DynArray[address, 4]):
    """
    @notice Sets what this factory makes, for good; another curator or another pool means another factory.
    @param assembler Code of assemblers
    @param quote The quote token of all launches
    @param uptime The sequencer's feed; the zero address on a chain without one
    @param curator Whoever may create launches and abort them before they open
    @param graduators The kinds of pool to choose from
    """
    assert assembler.is_contract, "factory: no assembler"
    assert curator != empty(address), "factory: no curator"
    for graduator: address in graduators:
        assert staticcall Graduator(graduator).quote() == quote, "factory: graduator of another quote token"
    ASSEMBLER = assembler
    QUOTE = quote
    UPTIME = uptime
    CURATOR = curator
    self.graduators = graduators


# external functions

@external
def create(launch: _launch.Launch) -> (address, address, address):
    """
    @notice Creates all contracts of a launch; only the curator.
    @param launch The terms
    @return The token, the auction and the escrow
    """
    assert msg.sender == CURATOR, "factory: not the curator"
    assert self.auction_of[launch.application] == empty(address), "factory: launched already"
    self._check(launch)
    assembler: address = create_minimal_proxy_to(ASSEMBLER, salt=launch.application)
    token: address = empty(address)
    auction: address = empty(address)
    escrow: address = empty(address)
    token, auction, escrow = extcall Assembler(assembler).assemble(launch, QUOTE, UPTIME, CURATOR)
    self.auction_of[launch.application] = auction
    self.application_of[auction] = launch.application
    log LaunchCreated(
        application=launch.application,
        token=token,
        auction=auction,
        escrow=escrow,
        creator=launch.creator,
        graduator=launch.graduator,
    )
    return token, auction, escrow


@external
@view
def predict(application: bytes32) -> (address, address, address):
    """
    @notice Returns where the token, the auction and the escrow of an application are or will be.
    @param application Hash of the approved application
    """
    assembler: address = _clone._clone_of(ASSEMBLER, self, application)
    return _clone._created(assembler, 1), _clone._created(assembler, 2), _clone._created(assembler, 3)


# internal functions

@internal
@view
def _check(launch: _launch.Launch):
    """
    @dev What no review may approve; the auction checks its own terms.
    """
    assert launch.application != empty(bytes32), "factory: no application"
    assert launch.graduator in self.graduators, "factory: unknown graduator"
    assert launch.supply <= MAX_SUPPLY, "factory: supply out of range"
    graduator: address = launch.graduator
    assert launch.lp_bps + staticcall Graduator(graduator).platform_bps() <= BPS, "factory: shares over the whole raise"
    bound: uint256 = staticcall i_graduator(graduator).shill_bound_bps()
    assert launch.at_once_bps <= bound, "factory: money at once over the shill bound"
    priced: bool = staticcall i_graduator(graduator).keeps_prices()
    total: uint256 = launch.sale + launch.sale * launch.lp_bps // BPS
    for part: _launch.Allocation in launch.allocations:
        assert part.holder != empty(address) and part.amount > 0, "factory: empty allocation"
        assert part.gated_bps == 0 or (priced and part.duration > 0), "factory: gate without prices"
        total += part.amount
    assert total == launch.supply, "factory: allocations are not the supply"
