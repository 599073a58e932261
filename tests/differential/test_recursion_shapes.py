"""The stack-height rule: 200 shapes of endless recursion fail where the rule says, on every engine at the same depth.

Every function of a shape tells the host that it was entered, so the depth is the number of host calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest
import wasmtime

from ewasm.fuzz.oracle import CAMPAIGN_ENGINES, campaign_engines, differences, observe, shared
from ewasm.fuzz.world import FakeHost, message
from ewasm.message import Status
from ewasm.metering.stack_height import FRAME_VALUES
from ewasm.rules import EWASM_2026
from ewasm.vm import VM

ENGINES = campaign_engines()
LIMIT = 3_000
RULES = replace(EWASM_2026, limits=replace(EWASM_2026.limits, stack_height=LIMIT))
SEEN = "i64.const 0 call $seen"


def module(functions: str, start: str) -> bytes:
    wat = f"""(module (import "ethereum" "useGas" (func $seen (param i64))) (memory (export "memory") 1)
      (type $t (func)) (type $u (func (param i32))) (table 4 funcref) (global $turn (mut i32) (i32.const 0))
      {functions} (func (export "main") {start}))"""
    return bytes(wasmtime.wat2wasm(wat))


def body(inner: str, locals_: int, operands: int) -> str:
    """Declares locals, enters, then holds `operands` values while `inner` runs."""
    declared = f"(local {'i64 ' * locals_})" if locals_ else ""
    return f"{declared} {SEEN} {'i32.const 7 ' * operands} {inner} {'drop ' * operands}"


def direct(n: int, k: int) -> bytes:
    return module(f"(func $f {body('call $f', n, k)})", "call $f")


def mutual(n: int, k: int) -> bytes:
    return module(f"(func $f {body('call $g', n, k)}) (func $g {body('call $f', n, k)})", "call $f")


def three(n: int, k: int) -> bytes:
    cycle = "".join(f"(func ${a} {body(f'call ${b}', n, k)})" for a, b in ("fg", "gh", "hf"))
    return module(cycle, "call $f")


def indirect(n: int, k: int) -> bytes:
    call = "i32.const 1 call_indirect (type $t)"
    return module(f"(elem (i32.const 1) $f) (func $f {body(call, n, k)})", call)


def callback(n: int, k: int) -> bytes:
    """A function that is handed the table index of what to call."""
    call = "local.get 0 local.get 0 call_indirect (type $u)"
    declared = f"(local {'i64 ' * n})" if n else ""
    inner = f"{declared} {SEEN} {'i32.const 7 ' * k} {call} {'drop ' * k}"
    return module(f"(elem (i32.const 2) $f) (func $f (param i32) {inner})", "i32.const 2 call $f")


def inside_blocks(n: int, k: int) -> bytes:
    inner = "block loop i32.const 1 if call $f end end end"
    return module(f"(func $f {body(inner, n, k)})", "call $f")


def tree(n: int, k: int) -> bytes:
    return module(f"(func $f {body('call $f call $f', n, k)})", "call $f call $f")


def under_a_chain(n: int, k: int) -> bytes:
    """Functions outside the cycle are not counted, however many locals they have."""
    outer = f"(func $a (local {'i64 ' * 200}) call $b) (func $b (local {'i64 ' * 100}) call $f)"
    return module(f"{outer} (func $f {body('call $f', n, k)})", "call $a")


def by_tail_call(n: int, k: int) -> bytes:
    """Every other call is a tail call, whose caller's frame is gone before the callee's begins."""
    declared = f"(local {'i64 ' * n})" if n else ""
    leaver = f"(func $g {declared} {SEEN} {'i32.const 7 ' * k} {'drop ' * k} return_call $f)"
    return module(f"(func $f {body('call $g', n, k)}) {leaver}", "call $f")


def two_sizes(n: int, k: int) -> bytes:
    """A small and a large function take turns."""
    return module(f"(func $f {body('call $g', n, k)}) (func $g {body('call $f', n + 40, k)})", "call $f")


SHAPES: list[Callable[[int, int], bytes]] = [
    direct,
    mutual,
    three,
    indirect,
    callback,
    inside_blocks,
    tree,
    under_a_chain,
    by_tail_call,
    two_sizes,
]
NEEDED: dict[Callable[[int, int], bytes], int] = {callback: 2, indirect: 1, inside_blocks: 1}
SIZES = list(product((0, 1, 9, 70, 600), (0, 3, 30, 400)))


def frame(shape: Callable[[int, int], bytes], n: int, k: int) -> int:
    """Height of one frame, written from PROTOCOL section 3: parameters, locals, highest operand stack, a constant."""
    parameters = 1 if shape is callback else 0
    # i64.const for the host call; what is held and what the call itself needs on top of it.
    needed = NEEDED.get(shape, 0)
    return parameters + n + max(1, k + needed) + FRAME_VALUES


def depth(shape: Callable[[int, int], bytes], n: int, k: int) -> int:
    """Frames that fit the limit."""
    height = frame(shape, n, k)
    if shape is two_sizes:
        pair = 2 * height + 40
        return LIMIT // pair * 2 + (LIMIT % pair >= height)
    if shape is by_tail_call:
        # $f stays, $g is replaced by the next $f: each two entries add one frame, and the last may be $g's.
        fits = LIMIT // height
        return 2 * (fits - 1) + 1
    return LIMIT // height


@pytest.mark.parametrize(("n", "k"), SIZES, ids=[f"{n}-locals-{k}-operands" for n, k in SIZES])
@pytest.mark.parametrize("shape", SHAPES, ids=[s.__name__ for s in SHAPES])
def test_recursion_fails_at_the_depth_of_the_rule(shape: Callable[[int, int], bytes], n: int, k: int) -> None:
    code = shape(n, k)
    request = message(gas=50_000_000)
    assert differences(code, RULES, request, ENGINES) == []
    for engine in ENGINES:
        seen = observe(code, engine, RULES, request)
        assert seen.result.status is Status.CALL_DEPTH_EXCEEDED, engine
        assert len(seen.calls) == depth(shape, n, k), engine


def test_there_are_two_hundred_shapes() -> None:
    assert len(SHAPES) * len(SIZES) == 200


@pytest.mark.parametrize("engine", CAMPAIGN_ENGINES)
def test_the_shapes_run_on_every_engine(engine: str) -> None:
    if engine not in ENGINES:
        pytest.skip(f"{engine} does not work on this machine")
    assert observe(direct(0, 0), engine, RULES).result.status is Status.CALL_DEPTH_EXCEEDED


@pytest.mark.parametrize("engine", ENGINES[1:])
@pytest.mark.parametrize(("n", "k"), [(1_024, 0), (1_000, 1_000), (0, 1_023), (0, 0)])
def test_the_native_stack_has_room_for_all_that_the_rule_admits(engine: str, n: int, k: int) -> None:
    """Locals that are all live at once, so that the compiler cannot drop them, down to the real limit."""
    sets = " ".join(f"global.get $seed i64.const {i} i64.add local.set {i}" for i in range(n))
    sums = " ".join(f"local.get {i} i64.add" for i in range(n))
    operands = "global.get $seed " * k
    wat = f"""(module (memory (export "memory") 1) (global $seed (mut i64) (i64.const 3))
      (func $f (result i64) {f"(local {'i64 ' * n})" if n else ""} {sets} {operands} call $f {"i64.add " * k}
        {sums} global.get $seed i64.const 1 i64.add global.set $seed)
      (func (export "main") call $f drop))"""
    result = VM(EWASM_2026, shared(engine)).execute(FakeHost(), message(gas=100_000_000), bytes(wasmtime.wat2wasm(wat)))
    assert result.status is Status.CALL_DEPTH_EXCEEDED
