"""The layers of all languages do the same: one probe each, one table of what it answers, both engines."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from contracts.world import ALICE, BOB, CAROL, World
from ewasm.cli.compilers import abi_of, compile_source
from ewasm.cli.rust import NO_RUST, find_toolchain
from ewasm.initcode import with_arguments
from ewasm.sdk import FOLDER as SDK
from tests.examples.results import call_data, events, reason, topics, word

FOLDER = Path(__file__).with_name("probe")
SNIPPETS = SDK / "wat" / "snippets.wat"
Compiled = Callable[[str], bytes]


@pytest.fixture(scope="module")
def compiled(request: pytest.FixtureRequest) -> Compiled:
    made: dict[str, bytes] = {}

    def of(ending: str) -> bytes:
        if ending == "rs" and find_toolchain() is None:
            pytest.skip(NO_RUST)
        if importlib.util.find_spec("ziglang") is None:
            pytest.skip("ziglang is not installed")
        if ending not in made:
            folders = [request.getfixturevalue("npm_as")] if ending == "ts" else []
            made[ending] = compile_source(FOLDER / f"probe.{ending}", npm_folders=folders)
        return made[ending]

    return of


LANGUAGES = ["c", "zig", "rs", pytest.param("ts", marks=pytest.mark.npm)]


@pytest.fixture(params=LANGUAGES)
def ending(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def probe(world: World, compiled: Compiled, ending: str) -> bytes:
    return world.deploy(with_arguments(compiled(ending), word(41)))


def test_constructor_and_slots(world: World, probe: bytes) -> None:
    assert world.read(probe, "start()(uint256)") == 41
    world.call(probe, "poke(uint256)", 2**256 - 1)
    assert world.read(probe, "start()(uint256)") == world.storage(probe, 0) == 2**256 - 1


def test_mappings(world: World, probe: bytes) -> None:
    world.call(probe, "put(address,uint256)", BOB, 7)
    assert [world.read(probe, "get(address)(uint256)", who) for who in (BOB, CAROL)] == [7, 0]
    assert world.storage(probe, int.from_bytes(keccak(word(BOB) + word(1)), "big")) == 7
    which = b"w" * 32
    assert [world.read(probe, "flip(address,bytes32)(bool)", BOB, which) for _ in range(3)] == [True, False, True]
    assert world.storage(probe, int.from_bytes(keccak(which + keccak(word(BOB) + word(3))), "big")) == 1


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 1_024])
def test_text_in_storage(world: World, probe: bytes, size: int) -> None:
    text = "t" * size
    assert world.call(probe, "note(string)", text).error is None
    assert world.read(probe, "read()(string)") == text
    assert world.storage(probe, 2) & 0xFF == (2 * size if size < 32 else (2 * size + 1) & 0xFF)
    assert reason(world.call(probe, "note(string)", "t" * 1_025)) == "probe: too long"


def test_numbers(world: World, probe: bytes) -> None:
    top = 2**256 - 1
    for a, b in ((1, 2), (top, 1), (top, top), (2**64 - 1, 1), (2**128, 2**128 - 1)):
        assert world.read(probe, "add(uint256,uint256)(uint256)", a, b) == (a + b) % 2**256
        for m in (0, 1, 97, top):
            expected = a * b % m if m else 0
            assert world.read(probe, "mulmod(uint256,uint256,uint256)(uint256)", a, b, m) == expected


def test_hashes(world: World, probe: bytes) -> None:
    for data in (b"", b"abc", bytes(range(256)) * 4):
        assert world.read(probe, "keccak(bytes)(bytes32)", data) == keccak(data)
        assert world.read(probe, "sha(bytes)(bytes32)", data) == sha256(data).digest()


def test_events_and_reasons(world: World, probe: bytes) -> None:
    done = world.call(probe, "say(uint256,uint256)", 5, 6)
    assert events(done) == [(probe, topics("Said(uint256,uint256,address)", 5), word(6) + word(ALICE))]
    assert reason(world.call(probe, "fail()")) == "probe: on purpose"


def test_message(world: World, probe: bytes) -> None:
    assert world.read(probe, "sender()(address)", sender=CAROL) == "0x" + CAROL.hex()
    assert world.read(probe, "self()(address)") == "0x" + probe.hex()
    assert world.call(probe, "paid()", value=10**20).output == word(10**20)


def test_what_is_not_of_the_type_is_refused(world: World, probe: bytes) -> None:
    small = call_data("small(uint8)", 255)
    assert world.send(probe, small).output == word(255)
    for data in (small[:4] + word(256), small[:4] + word(2**255 + 1), small[:-1], small[:4], b"none", b""):
        done = world.send(probe, data)
        assert (done.reverted, done.output) == (True, b""), data
    assert world.send(probe, call_data("get(address)", BOB)[:4] + b"\1" + bytes(31)).reverted
    # A string that begins, or ends, behind the call data.
    note = call_data("note(string)", "")[:4]
    for data in (note + word(2**255), note + word(64), note + word(32) + word(1), note + word(32)):
        assert world.send(probe, data).output == b""


def test_calls(world: World, probe: bytes, compiled: Compiled, ending: str) -> None:
    other = world.deploy(with_arguments(compiled(ending), word(9)))
    assert world.read(probe, "ask(address)(uint256)", other) == 9
    assert world.call(probe, "tell(address,uint256)", other, 10).error is None
    assert world.call(probe, "borrow(address,uint256)", other, 11).error is None
    assert [world.read(at, "start()(uint256)") for at in (other, probe)] == [10, 11]
    assert world.read(probe, "try(address)(uint8)", other) == 2
    # What reverts below passes up as it is: a call that may not change anything, or nothing there to answer.
    refused = world.deploy(bytes.fromhex("6004600c60003960046000f35f5ffd00"))
    done = world.call(probe, "tell(address,uint256)", refused, 1)
    assert (done.reverted, done.output) == (True, b"")


def test_contracts_make_contracts(world: World, probe: bytes) -> None:
    code = bytes.fromhex("6001600c60003960016000f300")
    made = world.call(probe, "make(bytes)", code).output[12:]
    assert bytes(world.state.get_code(made)) == b"\0"
    salt = b"s" * 32
    expected = keccak(b"\xff" + probe + salt + keccak(code))[12:]
    assert world.call(probe, "make2(bytes,bytes32)", code, salt).output == word(expected)
    assert world.call(probe, "make2(bytes,bytes32)", code, salt).output == word(0)


def test_transient_storage_ends_with_the_transaction(world: World, probe: bytes) -> None:
    assert world.read(probe, "remember(bytes32)(bytes32)", b"r" * 32) == b"r" * 32
    assert world.storage(probe, 7) == 0


def test_rust_operators_refuse_to_wrap(world: World, compiled: Compiled) -> None:
    probe = world.deploy(with_arguments(compiled("rs"), word(0)))
    sums, parts = "sums(uint256,uint256)(uint256,uint256,uint256)", "parts(uint256,uint256)(uint256,uint256,uint256)"
    assert world.read(probe, sums, 7, 5) == (12, 2, 35)
    assert world.read(probe, parts, 2**255 + 7, 10) == ((2**255 + 7) // 10, (2**255 + 7) % 10, 14)
    for a, b in ((2**256 - 1, 1), (1, 2), (2**128, 2**128)):
        assert world.call(probe, sums, a, b).output == keccak(text="Panic(uint256)")[:4] + word(0x11)
    assert world.call(probe, parts, 1, 0).output == keccak(text="Panic(uint256)")[:4] + word(0x12)


def test_snippets_of_text_are_a_contract(world: World) -> None:
    code = compile_source(SNIPPETS)
    probe, other = (world.deploy(with_arguments(code, word(number))) for number in (41, 9))
    assert world.read(probe, "start()(uint256)") == 41
    world.call(probe, "put(address,uint256)", BOB, 7)
    assert [world.read(probe, "get(address)(uint256)", who) for who in (BOB, CAROL)] == [7, 0]
    assert world.storage(probe, int.from_bytes(keccak(word(BOB) + word(1)), "big")) == 7
    for a, b in ((1, 2), (2**256 - 1, 2), (2**200 + 5, 2**64 - 1)):
        assert world.read(probe, "add(uint256,uint256)(uint256)", a, b) == (a + b) % 2**256
    done = world.call(probe, "say(uint256,uint256)", 5, 6)
    assert events(done) == [(probe, topics("Said(uint256,uint256)", 5), word(6))]
    assert reason(world.call(probe, "fail()")) == "snippets: on purpose"
    assert world.read(probe, "ask(address)(uint256)", other) == 9
    assert world.call(probe, "tell(address,uint256)", other, 10).error is None
    assert world.read(probe, "ask(address)(uint256)", other) == 10
    for data in (b"", b"none", call_data("poke(uint256)", 1)[:-1], call_data("get(address)", BOB)[:4] + b"\1" * 32):
        refused = world.send(probe, data)
        assert (refused.reverted, refused.output) == (True, b"")
    assert world.call(probe, "start()", value=1).reverted
    assert world.call(probe, "ask(address)", BOB).error is not None


def test_snippets_say_what_they_can_do() -> None:
    functions = [item["name"] for item in json.loads(abi_of(SNIPPETS) or "[]") if item["type"] == "function"]
    assert functions == ["start", "poke", "put", "get", "add", "say", "fail", "ask", "tell"]
