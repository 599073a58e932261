"""EIP-3860: init code over its limit fails the frame that creates, whether or not it could pay the endowment."""

from __future__ import annotations

import pytest

from chain.forks import Fork
from chain.genesis import GenesisAccount
from chain.records import CallRequest
from chain.stack import run_with_stack
from ewasm.rules import RULES
from tests.unit.chain.support import ALICE, asm, new_chain

CREATOR = b"\xcc" * 20
EVM_LIMIT = 49_152
WASM_LIMIT = RULES["EWASM_2026"].limits.init_code_bytes
RETURN_ONE = asm(b"\x01", b"\x00", 0x52, b"\x20", b"\x00", 0xF3)


def creating(size: int, value: int, opcode: int, magic: bool) -> bytes:
    """Create from `size` bytes of memory with an endowment, then return 1."""
    code = asm(b"\x00asm" + bytes(28), b"\x00", 0x52) if magic else b""
    salt = (b"\x00",) if opcode == 0xF5 else ()
    return code + asm(*salt, size.to_bytes(3, "big"), b"\x00", bytes([value]), opcode) + RETURN_ONE


@pytest.mark.parametrize("opcode", [0xF0, 0xF5])
@pytest.mark.parametrize("value", [0, 9])
@pytest.mark.parametrize(
    ("size", "magic", "passes"),
    [
        (EVM_LIMIT, False, True),
        (EVM_LIMIT + 1, False, False),
        (WASM_LIMIT, True, True),
        (WASM_LIMIT + 1, True, False),
    ],
)
def test_the_limit_comes_before_the_endowment(opcode: int, value: int, size: int, magic: bool, passes: bool) -> None:
    """The creator owns nothing: with an endowment of 9 the creation is refused, and the frame goes on."""
    code = creating(size, value, opcode, magic)
    chain = new_chain(accounts={CREATOR: GenesisAccount(code=code)})
    request = CallRequest(sender=ALICE, to=CREATOR, gas=25_000_000)
    outcome = run_with_stack(lambda: chain.call(request))
    assert (outcome.status == "success") is passes
    assert outcome.output == (b"\0" * 31 + b"\1" if passes else b"")
    if not passes:
        assert outcome.gas_used == 25_000_000


def test_before_shanghai_there_is_no_limit_on_evm_init_code() -> None:
    chain = new_chain(Fork.PARIS, accounts={CREATOR: GenesisAccount(code=creating(EVM_LIMIT + 1, 9, 0xF0, False))})
    outcome = run_with_stack(lambda: chain.call(CallRequest(sender=ALICE, to=CREATOR, gas=25_000_000)))
    assert outcome.status == "success"
