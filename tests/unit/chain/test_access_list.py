"""Access lists: everything that is reached, and nothing that is warm anyway."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chain.access_list import create_access_list
from chain.genesis import GenesisAccount
from chain.records import AccountOverride, CallRequest
from chain.refusals import Refused
from chain.transaction import AccessList, Authorization
from tests.unit.chain.support import ALICE, BOB, asm, new_chain
from tests.unit.chain.test_executor import CONTRACT, OTHER, WRITER, caller_of

THIRD = b"\xc9" * 20
SHA256 = (2).to_bytes(20, "big")


def call_evm(to: bytes, *then: int | bytes | str) -> bytes:
    zero = b"\x00"
    return asm(zero, zero, zero, zero, zero, to, 0x5A, 0xF1, 0x50, *then)


def created(accounts: dict[bytes, GenesisAccount], **fields: Any) -> tuple[AccessList, int, bool]:
    chain = new_chain(accounts=accounts)
    request = replace(CallRequest(sender=ALICE, to=CONTRACT), **fields)
    result = create_access_list(chain, request, chain.head)
    # With the list it really costs what is said.
    again = chain.call(replace(request, access_list=result.entries))
    assert again.gas_used == result.outcome.gas_used
    return result.entries, result.outcome.gas_used, result.outcome.is_success


def test_slots_of_the_recipient_and_of_others() -> None:
    accounts = {
        CONTRACT: GenesisAccount(code=asm(b"\x07", 0x54, 0x50) + call_evm(OTHER) + call_evm(BOB) + call_evm(SHA256)),
        OTHER: GenesisAccount(code=asm(b"\x01", b"\x09", 0x55, b"\x03", 0x54)),
    }
    entries, gas, good = created(accounts)
    assert good
    assert entries == tuple(sorted([(CONTRACT, (7,)), (OTHER, (3, 9)), (BOB, ())]))
    assert gas > 21_000 + 3 * 2_400 + 3 * 1_900


def test_a_transfer_has_none() -> None:
    assert created({}, to=BOB, value=1) == ((), 21_000, True)


def test_what_failing_frames_reach_counts() -> None:
    reverting = asm(b"\x05", 0x54, b"\x00", b"\x00", 0xFD)
    entries, _, good = created({CONTRACT: GenesisAccount(code=reverting)})
    assert (entries, good) == (((CONTRACT, (5,)),), False)
    entries, _, good = created({CONTRACT: GenesisAccount(code=call_evm(OTHER)), OTHER: GenesisAccount(code=reverting)})
    assert (entries, good) == (((OTHER, (5,)),), True)


def test_it_goes_on_until_nothing_new_is_reached() -> None:
    # The second slot is read only where the first was cheap, which the list makes it.
    probe = asm(0x5A, b"\x01", 0x54, 0x50, 0x5A, 0x90, 0x03, (1_000).to_bytes(2, "big"), 0x10, 0x15)
    code = probe + asm(bytes((len(probe) + 4,)), 0x57, 0x00, 0x5B, b"\x02", 0x54)
    entries, _, good = created({CONTRACT: GenesisAccount(code=code)})
    assert (entries, good) == (((CONTRACT, (1, 2)),), True)


def test_it_does_not_go_on_for_ever() -> None:
    # Reads one slot after the other as long as they are cheap: each round reaches one more.
    head = asm(b"\x00", 0x5B, b"\x01", 0x01, 0x5A, 0x81, 0x54, 0x50, 0x5A, 0x90, 0x03)
    code = head + asm((1_000).to_bytes(2, "big"), 0x10, 0x15, b"\x02", 0x57, 0x00)
    with pytest.raises(Refused, match="still grows"):
        created({CONTRACT: GenesisAccount(code=code)})


def test_too_many_authorizations_are_refused() -> None:
    one = Authorization(chain_id=0, address=OTHER, nonce=0, y_parity=0, r=1, s=1)
    with pytest.raises(Refused, match="authorizations"):
        created({}, authorizations=(one,) * 2_001)


def test_wasm_frames_are_seen() -> None:
    accounts = {CONTRACT: GenesisAccount(code=caller_of(OTHER)), OTHER: GenesisAccount(code=WRITER)}
    entries, _, good = created(accounts)
    assert good
    assert entries == ((OTHER, (0,)),)


def test_what_was_given_stays() -> None:
    given = ((THIRD, (1,)),)
    entries, _, _ = created({CONTRACT: GenesisAccount(code=asm(b"\x07", 0x54))}, access_list=given)
    assert entries == ((CONTRACT, (7,)), (THIRD, (1,)))


def test_overrides_count() -> None:
    chain = new_chain()
    overrides = {BOB: AccountOverride(code=asm(b"\x07", 0x54))}
    result = create_access_list(chain, CallRequest(sender=ALICE, to=BOB), chain.head, overrides)
    assert result.entries == ((BOB, (7,)),)


def test_a_creation_leaves_its_own_address_out() -> None:
    init = asm(b"\x07", 0x54, OTHER, 0x31, b"\x00", b"\x00", 0xF3)
    entries, _, good = created({}, to=None, data=init)
    assert good
    assert {address for address, slots in entries if not slots} == {OTHER}
    assert [slots for _, slots in entries if slots] == [(7,)]
