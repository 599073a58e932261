"""alt_bn128 in WebAssembly against the precompiles 6 and 7 (EIP-196)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.world import World, artifact
from ewasm.initcode import wrap_runtime
from tests.examples.results import reason, word

P = 21888242871839275222246405745257275088696311157297823662689037894645226208583
ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
G = (1, 2)
NOWHERE = (0, 0)
ADD = "add(uint256,uint256,uint256,uint256)"
MUL = "mul(uint256,uint256,uint256)"


def precompile(world: World, number: int, *values: int) -> bytes:
    return world.send(bytes(19) + bytes([number]), b"".join(map(word, values))).output


@pytest.fixture
def curve(world: World) -> bytes:
    return world.deploy(wrap_runtime(artifact("bn128/bn128.wasm")))


def multiple(world: World, k: int) -> tuple[int, int]:
    out = precompile(world, 7, *G, k)
    return int.from_bytes(out[:32], "big"), int.from_bytes(out[32:], "big")


def test_sums_of_special_points(world: World, curve: bytes) -> None:
    minus = (1, P - 2)
    other = multiple(world, 5)
    for a, b in ((NOWHERE, NOWHERE), (G, NOWHERE), (NOWHERE, G), (G, G), (G, minus), (G, other), (other, minus)):
        done = world.call(curve, ADD, *a, *b)
        assert done.output == precompile(world, 6, *a, *b), (a, b)


@pytest.mark.parametrize("k", [0, 1, 2, 3, ORDER - 1, ORDER, ORDER + 1, 2**255, 2**256 - 1])
def test_special_multiples(k: int) -> None:
    # One instruction at a time takes seconds for large ones.
    for engine in ("native", "interpreter") if k < 4 else ("native",):
        check_multiple(World(engine), k)


def check_multiple(world: World, k: int) -> None:
    curve = world.deploy(wrap_runtime(artifact("bn128/bn128.wasm")))
    assert world.call(curve, MUL, *G, k).output == precompile(world, 7, *G, k)


def test_multiple_of_the_point_at_infinity(world: World, curve: bytes) -> None:
    assert world.call(curve, MUL, *NOWHERE, 77).output == bytes(64)


@pytest.mark.parametrize(
    ("point", "why"),
    [((1, 3), "not on the curve"), ((0, 1), "not on the curve"), ((P, 0), "not below P"), ((1, P + 2), "not below P")],
)
def test_what_is_no_point_is_refused(world: World, curve: bytes, point: tuple[int, int], why: str) -> None:
    for done in (
        world.call(curve, ADD, *point, *G),
        world.call(curve, ADD, *G, *point),
        world.call(curve, MUL, *point, 1),
    ):
        assert reason(done) == f"bn128: {why}"


@settings(max_examples=8, deadline=None)
@given(a=st.integers(0, 2**256 - 1), b=st.integers(0, ORDER), k=st.integers(0, 2**256 - 1))
def test_any_points(a: int, b: int, k: int) -> None:
    world = World("native")
    curve = world.deploy(wrap_runtime(artifact("bn128/bn128.wasm")))
    p, q = multiple(world, a), multiple(world, b)
    assert world.call(curve, ADD, *p, *q).output == precompile(world, 6, *p, *q)
    assert world.call(curve, MUL, *p, k).output == precompile(world, 7, *p, k)
