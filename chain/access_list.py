"""eth_createAccessList: which accounts and slots a transaction reaches that it could name beforehand (EIP-2930)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from chain.blockchain import Blockchain
from chain.crypto import keccak
from chain.overrides import StateOverrides
from chain.records import BlockRecord, CallOutcome, CallRequest
from chain.refusals import Refused
from chain.rlp_codec import encode
from chain.transaction import AccessList
from chain.variant import fork_precompiles

__all__ = ["AccessedState", "CreatedAccessList", "create_access_list"]

MAX_ROUNDS = 8
MAX_GAS = 100_000_000
"""Gas of all rounds together behind which no further one is begun."""
MAX_AUTHORIZATIONS = 2_000


@dataclass(slots=True)
class AccessedState:
    """What contracts asked for while a transaction ran, in frames that failed too."""

    addresses: set[bytes] = field(default_factory=set)
    slots: dict[bytes, set[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreatedAccessList:
    """The list, and how the transaction ends with it."""

    entries: AccessList
    outcome: CallOutcome


def create_access_list(
    chain: Blockchain, request: CallRequest, record: BlockRecord, overrides: StateOverrides | None = None
) -> CreatedAccessList:
    """Run a request with a growing access list until nothing new is reached.

    Not in the list, since they are warm anyway: sender, recipient, precompiles and accounts that sign authorizations,
    unless slots of theirs are reached.

    Raises:
        InvalidTransaction: It cannot start.
        Refused: Each round reaches something else, or there are too many authorizations.
    """
    if len(request.authorizations) > MAX_AUTHORIZATIONS:
        raise Refused(f"too many authorizations: {len(request.authorizations)}, at most {MAX_AUTHORIZATIONS}")
    nonce = request.nonce
    if nonce is None:
        changed = overrides.get(request.sender) if overrides else None
        nonce = changed.nonce if changed is not None else None
        nonce = chain.state_at(record).nonce(request.sender) if nonce is None else nonce
    recipient = request.to if request.to is not None else keccak(encode([request.sender, nonce]))[12:]
    authorities = (authorization.authority() for authorization in request.authorizations)
    warm = {request.sender, recipient, *fork_precompiles(chain.env_of(record).fork, chain.machine)}
    warm.update(authority for authority in authorities if authority is not None)
    entries = _entries(request.access_list, AccessedState(), warm)
    gas = 0
    for _ in range(MAX_ROUNDS):
        accessed = AccessedState()
        outcome = chain.call(replace(request, access_list=entries), record, overrides=overrides, accessed=accessed)
        found = _entries(entries, accessed, warm)
        if found == entries:
            return CreatedAccessList(entries, outcome)
        entries = found
        gas += outcome.max_gas_used
        if gas > MAX_GAS:
            break
    raise Refused(f"the access list still grows after {MAX_ROUNDS} rounds or {MAX_GAS} gas")


def _entries(known: AccessList, accessed: AccessedState, warm: Iterable[bytes]) -> AccessList:
    """Both together, in order of addresses and slots."""
    merged: dict[bytes, set[int]] = {address: set(slots) for address, slots in known}
    for address in accessed.addresses.difference(warm):
        merged.setdefault(address, set())
    for address, slots in accessed.slots.items():
        merged.setdefault(address, set()).update(slots)
    return tuple((address, tuple(sorted(merged[address]))) for address in sorted(merged))
