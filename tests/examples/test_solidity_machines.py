"""One Solidity source on both machines: WebAssembly does what the EVM does, opcode by opcode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.transition import Executed
from contracts import evm_compilers
from contracts.world import ALICE, BOB, World
from ewasm.cli.compilers import CompileError, compile_source
from ewasm.initcode import with_arguments
from tests.examples.results import call_data, word

pytestmark = pytest.mark.npm
SOURCE = Path(__file__).with_name("opcodes.sol")

EDGES = (0, 1, 3, 31, 63, 64, 65, 128, 255, 256, 2**64 - 1, 2**128, 2**255, 2**256 - 1)
numbers = st.one_of(st.sampled_from(EDGES), st.integers(0, 2**256 - 1), st.integers(0, 300))


@pytest.fixture(scope="session")
def codes(npm_as: Path) -> tuple[bytes, bytes]:
    """Creation data of the contract for WebAssembly and for the EVM."""
    module = compile_source(SOURCE, npm_folders=[npm_as])
    evm = bytes.fromhex(evm_compilers.solidity(SOURCE, "opcodes", npm_as))
    return with_arguments(module, word(77)), evm + word(77)


class Pair:
    """The same contract twice, at the same address of two states."""

    def __init__(self, codes: tuple[bytes, bytes], engine: str) -> None:
        self.worlds = World(engine), World(engine)
        wasm, evm = (world.deploy(code, value=5) for world, code in zip(self.worlds, codes, strict=True))
        assert wasm == evm
        self.address = wasm

    def both(self, data: bytes, value: int = 0) -> Executed:
        wasm, evm = (world.send(self.address, data, value=value) for world in self.worlds)
        assert (wasm.success, wasm.reverted, wasm.output) == (evm.success, evm.reverted, evm.output)
        assert [(log.topics, log.data) for log in wasm.logs] == [(log.topics, log.data) for log in evm.logs]
        assert self.worlds[0].state.get_balance(self.address) == self.worlds[1].state.get_balance(self.address)
        return wasm

    def call(self, signature: str, *values: Any, value: int = 0) -> Executed:
        return self.both(call_data(signature, *values), value)


@pytest.fixture(params=["native", "interpreter"])
def pair(request: pytest.FixtureRequest, codes: tuple[bytes, bytes]) -> Pair:
    return Pair(codes, str(request.param))


def test_arithmetic_on_the_edges(codes: tuple[bytes, bytes]) -> None:
    pair = Pair(codes, "native")
    for a in EDGES:
        for b in EDGES:
            assert pair.call("arithmetic(uint256,uint256,uint256)", a, b, 2**256 - a - 1).success


@settings(max_examples=1, deadline=None)
@given(rows=st.lists(st.tuples(numbers, numbers, numbers), min_size=40, max_size=60))
def test_arithmetic_on_any_numbers(codes: tuple[bytes, bytes], rows: list[tuple[int, int, int]]) -> None:
    pair = Pair(codes, "native")
    for row in rows:
        assert pair.call("arithmetic(uint256,uint256,uint256)", *row).success


def test_messages(pair: Pair) -> None:
    assert pair.both(b"", value=3).success
    assert pair.both(b"none").reverted
    for data in (b"", b"x", b"y" * 32, b"z" * 1_000):
        assert pair.call("message(bytes)", data, value=9).success
    assert pair.both(call_data("message(bytes)", b"y" * 32)[:-1]).reverted
    for who in (pair.address, ALICE, BOB, bytes(20)):
        assert pair.worlds[0].call(pair.address, "surroundings(address)", who).success


def test_storage_and_hashes(pair: Pair) -> None:
    for size in (0, 31, 32, 33, 200, 5):
        assert pair.call("store(bytes)", bytes(range(size))).success
    for value in (1, 2**256 - 4, 3):
        pair.call("map(uint256,address,uint256)", 5, BOB, value)
    assert pair.call("hashes(string,uint256)", "some text", 2**200).success
    slots = range(4)
    assert len({tuple(world.storage(pair.address, slot) for slot in slots) for world in pair.worlds}) == 1


def test_events(pair: Pair) -> None:
    done = pair.call("say(uint256,uint256,bytes,string)", 1, 2**255, b"indexed", "text" * 20)
    assert [len(log.topics) for log in done.logs] == [1, 4]


def test_checks_and_reasons(pair: Pair) -> None:
    signature = "checked(uint8,int256,uint256[])"
    for values in ((1, 5, [1, 2, 3]), (0, 5, [1]), (2, -6, [1, 2]), (2, -6, [90, 2]), (2, 0, [2**256 - 1, 1])):
        pair.call(signature, *values)
    assert pair.both(call_data("checked(uint256,int256,uint256[])", 256, 0, [])).reverted


def test_calls(pair: Pair) -> None:
    ask = "ask(address,bytes,uint256)"
    inner = call_data("message(bytes)", b"inner")
    for kind in range(3):
        assert pair.call(ask, pair.address, inner, kind).success
        assert pair.call(ask, pair.address, call_data("checked(uint8,int256,uint256[])", 0, 0, []), kind).success
    assert pair.call(ask, pair.address, call_data("store(bytes)", b"no"), 1).success
    assert pair.call(ask, BOB, b"", 0, value=12).success
    assert pair.worlds[0].state.get_balance(BOB) == pair.worlds[1].state.get_balance(BOB) == 12
    # A precompile: identity.
    assert pair.call(ask, bytes(19) + b"\x04", b"echo" * 30, 1).success


ODD = """
    uint256 immutable a;
    constructor() { a = block.basefee; }
    function f() external returns (address, uint256) { return (address(new Other()), a); }
"""


@pytest.mark.parametrize(
    ("body", "why"), [(ODD, "immutable, .*basefee, create"), ("function f(", "Expected type name")]
)
def test_what_cannot_be_had_is_refused(tmp_path: Path, npm_as: Path, body: str, why: str) -> None:
    source = tmp_path / "odd.sol"
    source.write_text(f"pragma solidity 0.8.20;\ncontract Other {{}}\ncontract Odd {{ {body} }}\n")
    with pytest.raises(CompileError, match=why):
        compile_source(source, npm_folders=[npm_as])


def test_contract_is_named_as_its_file(tmp_path: Path, npm_as: Path) -> None:
    source = tmp_path / "odd.sol"
    source.write_text("pragma solidity 0.8.20;\ncontract Even {}\n")
    with pytest.raises(CompileError, match="no contract named odd, but Even"):
        compile_source(source, npm_folders=[npm_as])
