"""Tokens for tests: balances and allowances of ERC-20 contracts, set in their storage.

Which slot holds a balance is found out by calling: a slot that the token's own answer follows is the one. Tokens that
pack more into the slot, or compute what they answer, have none.
"""

from __future__ import annotations

from typing import Any, Final

from chain.access_list import AccessedState
from chain.crypto import keccak
from chain.errors import InvalidTransaction
from chain.overrides import StateOverrides
from chain.records import AccountOverride, CallOutcome, CallRequest
from chain.rpc import params as p
from chain.rpc.dispatch import Context, Method
from chain.rpc.errors import Refusal
from chain.rpc.params import Param

__all__ = ["TOKEN_METHODS"]

VIEW_GAS: Final = 1_000_000
MAX_CANDIDATES: Final = 64
# Any number that nobody holds by chance.
_PROBE: Final = int.from_bytes(keccak(b"a balance to be looked for")[:15], "big")


def deal(context: Context, holder: bytes, token: bytes, amount: int) -> None:
    """anvil_dealERC20, anvil_setERC20Balance, hardhat_dealERC20: give a holder this balance of an ERC-20 token."""
    _set(context, token, _call_data("balanceOf(address)", holder), amount, "balance")


def set_allowance(context: Context, owner: bytes, spender: bytes, token: bytes, amount: int) -> None:
    """anvil_setERC20Allowance: let a spender take so much of an owner's ERC-20 token."""
    _set(context, token, _call_data("allowance(address,address)", owner, spender), amount, "allowance")


def _call_data(signature: str, *addresses: bytes) -> bytes:
    return keccak(signature.encode())[:4] + b"".join(address.rjust(32, b"\0") for address in addresses)


def _set(context: Context, token: bytes, call_data: bytes, amount: int, what: str) -> None:
    if amount >> 256:
        raise p.BadValue("number > 256 bits")
    node = context.node

    def ask(overrides: StateOverrides | None = None, accessed: AccessedState | None = None) -> CallOutcome | None:
        request = CallRequest(to=token, data=call_data, gas=VIEW_GAS)
        try:
            return node.chain.call(request, overrides=overrides, accessed=accessed)
        except InvalidTransaction:
            return None

    accessed = AccessedState()
    ask(accessed=accessed)
    candidates = [(address, slot) for address, slots in accessed.slots.items() for slot in sorted(slots)]
    for address, slot in candidates[:MAX_CANDIDATES]:
        outcome = ask({address: AccountOverride(storage_diff={slot: _PROBE})})
        if outcome is not None and outcome.is_success and outcome.output[:32] == _PROBE.to_bytes(32, "big"):
            node.edit(address, AccountOverride(storage_diff={slot: amount}))
            return
    raise Refusal(f"no slot of 0x{token.hex()} holds that {what}")


_TOKEN: Final[tuple[Any, ...]] = (Param("token", p.address), Param("amount", p.loose_quantity))
_DEAL: Final = (Param("holder", p.address), *_TOKEN)

TOKEN_METHODS: Final = (
    Method("anvil_dealERC20", deal, _DEAL, "own"),
    Method(
        "anvil_setERC20Allowance",
        set_allowance,
        (Param("owner", p.address), Param("spender", p.address), *_TOKEN),
        "own",
    ),
    Method("anvil_setERC20Balance", deal, _DEAL, "own"),
    Method("hardhat_dealERC20", deal, _DEAL, "own"),
)
