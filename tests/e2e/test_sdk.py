"""The layers contracts are written with, in contracts made for the purpose, on both engines."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from eth_abi.abi import encode

from contracts import build
from contracts.world import ALICE, GAS, World
from ewasm.cli.compilers import compile_source
from ewasm.initcode import wrap_runtime
from tests.unit.test_example_contracts import reason

ZIG = """
const ewasm = @import("ewasm");

fn isTrue(value: bool) bool {
    return value;
}
fn small(value: u8) u8 {
    return value;
}
fn word(value: ewasm.Word) ewasm.Word {
    return value;
}
fn sender() ewasm.Address {
    return ewasm.caller();
}
fn add(a: u256, b: u256) u256 {
    return a +% b;
}
var answer: [96]u8 = undefined;
fn ask(to: ewasm.Address, data: ewasm.Bytes) u256 {
    if (data.len() > 96) ewasm.revert("too long");
    const outcome = ewasm.callStatic(1_000_000, to, data.read(&answer));
    if (outcome != .success) ewasm.revert("asked in vain");
    return ewasm.number(ewasm.returnData(&answer)[0..32]);
}
const flags = ewasm.Mapping(ewasm.Word, bool).at(7);
fn flag(key: ewasm.Word) bool {
    const old = flags.get(key);
    flags.set(key, !old);
    return old;
}

export fn main() void {
    ewasm.dispatch(.{
        .{ "isTrue(bool)", isTrue },
        .{ "small(uint8)", small },
        .{ "word(bytes32)", word },
        .{ "sender()", sender },
        .{ "add(uint256,uint256)", add },
        .{ "ask(address,bytes)", ask },
        .{ "flag(bytes32)", flag },
    });
    ewasm.revertEmpty();
}
"""

# Call data: one byte that names the function, then its arguments, a word each.
TYPESCRIPT = """
import { add256, argument, argumentAddress, callStatic, caller, div256, eth_callDataCopy, lessThan, mod256, mul256,
  returnData, returnWord, revertReturned, sub256, take, word } from "ewasm";

export function main(): void {
  const which = take(1);
  eth_callDataCopy(which, 0, 1);
  switch (load<u8>(which)) {
    case 0: returnWord(add256(argument(1, 0), argument(1, 1)));
    case 1: returnWord(sub256(argument(1, 0), argument(1, 1)));
    case 2: returnWord(mul256(argument(1, 0), argument(1, 1)));
    case 3: returnWord(div256(argument(1, 0), argument(1, 1)));
    case 4: returnWord(mod256(argument(1, 0), argument(1, 1)));
    case 5: returnWord(word(lessThan(argument(1, 0), argument(1, 1)) ? 1 : 0));
    case 6: returnWord(caller());
    case 7: {
      if (callStatic(1_000_000, argumentAddress(1, 0), argument(1, 1), 32) != 0) revertReturned();
      returnWord(returnData());
    }
    case 8: {
      const far = take(200_000);
      store<u8>(far, 9, 199_999);
      returnWord(far + 199_968);
    }
    default: take(0xffffffff);
  }
}
"""


@pytest.fixture(params=["native", "interpreter"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


@pytest.fixture(scope="module")
def zig_module(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed")
    source = tmp_path_factory.mktemp("zig") / "probe.zig"
    source.write_text(ZIG)
    return compile_source(source)


@pytest.fixture(scope="module")
def typescript_module(tmp_path_factory: pytest.TempPathFactory, npm_as: Path) -> bytes:
    source = tmp_path_factory.mktemp("as") / "probe.ts"
    source.write_text(TYPESCRIPT)
    return compile_source(source, npm_folders=[npm_as])


def test_zig_reads_arguments_by_type(world: World, zig_module: bytes) -> None:
    probe = world.deploy(wrap_runtime(zig_module))
    assert world.read(probe, "isTrue(bool)(bool)", True) is True
    assert world.read(probe, "small(uint8)(uint8)", 255) == 255
    assert world.read(probe, "word(bytes32)(bytes32)", b"w" * 32) == b"w" * 32
    assert bytes.fromhex(world.read(probe, "sender()(address)")[2:]) == ALICE
    assert world.read(probe, "add(uint256,uint256)(uint256)", 2**256 - 1, 2) == 1
    assert [world.read(probe, "flag(bytes32)(bool)", b"k" * 32) for _ in range(3)] == [False, True, False]


@pytest.mark.parametrize(("signature", "value"), [("isTrue(bool)", 2), ("small(uint8)", 256), ("isTrue(bool)", 2**255)])
def test_zig_refuses_what_is_not_of_the_type(world: World, zig_module: bytes, signature: str, value: int) -> None:
    from ewasm.cli.abi import parse_signature

    probe = world.deploy(wrap_runtime(zig_module))
    done = world.send(probe, parse_signature(signature).selector + encode(["uint256"], [value]))
    assert (done.reverted, done.output) == (True, b"")


def test_zig_calls_another_contract(world: World, zig_module: bytes) -> None:
    from ewasm.cli.abi import parse_signature

    probe, other = (world.deploy(wrap_runtime(zig_module)) for _ in range(2))
    small = parse_signature("small(uint8)").selector
    assert world.read(probe, "ask(address,bytes)(uint256)", other, small + encode(["uint8"], [7])) == 7
    assert reason(world.call(probe, "ask(address,bytes)", other, b"none")) == "asked in vain"
    assert reason(world.call(probe, "ask(address,bytes)", other, bytes(97))) == "too long"


@pytest.mark.npm
def test_assemblyscript_calculates_as_the_evm_does(world: World, typescript_module: bytes) -> None:
    probe = world.deploy(wrap_runtime(typescript_module))
    pairs = [(5, 3), (3, 5), (2**256 - 1, 2**200 + 7), (2**128, 2**128), (7, 0), (2**64 - 1, 2**64)]
    for a, b in pairs:
        data = encode(["uint256", "uint256"], [a, b])
        found = [int.from_bytes(world.send(probe, bytes([n]) + data).output, "big") for n in range(6)]
        modulus = 2**256
        assert found == [
            (a + b) % modulus,
            (a - b) % modulus,
            a * b % modulus,
            a // b if b else 0,
            a % b if b else 0,
            a < b,
        ]


@pytest.mark.npm
def test_assemblyscript_calls_and_takes_memory(world: World, typescript_module: bytes) -> None:
    probe, other = (world.deploy(wrap_runtime(typescript_module)) for _ in range(2))
    assert world.send(probe, b"\6").output == ALICE.rjust(32, b"\0")
    ask = b"\7" + other.rjust(32, b"\0")
    assert world.send(probe, ask + b"\6" + bytes(31)).output == probe.rjust(32, b"\0")
    assert world.send(probe, ask + b"\0" + bytes(31)).reverted
    assert world.send(probe, b"\x08").output == bytes(31) + b"\x09"
    failed = world.send(probe, b"\x09")
    assert failed.error is not None
    assert (failed.reverted, failed.gas_used) == (False, GAS)


@pytest.mark.npm
def test_contracts_through_npm_rebuild_byte_for_byte(npm_as: Path) -> None:
    assert build.has_npm("assemblyscript", "solc", "binaryen")
    assert npm_as == build.NPM
    there = build.committed()
    # Solidity takes seconds a contract: one of each kind stands for the others (`python -m contracts.build --verify`).
    names = [name for name, source in build.buildable().items() if source.endswith(".ts")]
    names += ["erc20_solidity/erc20.bin", "reentrancy/bank.wasm", "reentrancy/bank.json"]
    assert [name for name in names if build.build(name) != there[name]] == []
