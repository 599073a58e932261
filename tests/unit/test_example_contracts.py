"""What the example contracts do, on every engine, in transactions against a state without blocks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from chain.transition import Executed
from contracts.build import FOLDER
from contracts.measure import TOKENS
from contracts.world import ALICE, BOB, CAROL, GAS, World, artifact
from ewasm.cli.abi import constructor_types, parse_signature
from ewasm.initcode import with_arguments, wrap_runtime


@pytest.fixture(params=["native", "interpreter"])
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def reason(done: Executed) -> str:
    """The text of `Error(string)`."""
    assert done.reverted
    assert done.output[:4].hex() == "08c379a0"
    return str(decode(["string"], done.output[4:])[0])


# -- ERC-20 ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    world: World
    address: bytes

    def call(self, signature: str, *values: Any, sender: bytes = ALICE) -> Executed:
        return self.world.call(self.address, signature, *values, sender=sender)

    def balance(self, owner: bytes) -> int:
        return int(self.world.read(self.address, "balanceOf(address)(uint256)", owner))

    def allowance(self, owner: bytes, spender: bytes) -> int:
        return int(self.world.read(self.address, "allowance(address,address)(uint256)", owner, spender))


C_TOKEN = "erc20/erc20.wasm"


@pytest.fixture(params=TOKENS.values(), ids=list(TOKENS))
def file(request: pytest.FixtureRequest) -> str:
    """One suite, every implementation."""
    return str(request.param)


def make_token(
    world: World, file: str = C_TOKEN, name: str = "Gold", symbol: str = "GLD", supply: int = 1_000_000
) -> Token:
    kinds = constructor_types(json.loads((FOLDER / file).with_suffix(".json").read_text()))
    return Token(world, world.deploy(with_arguments(artifact(file), encode(kinds, [name, symbol, supply]))))


@pytest.fixture
def token(world: World, file: str) -> Token:
    return make_token(world, file)


def test_token_knows_what_it_was_made_with(world: World, token: Token, file: str) -> None:
    assert world.read(token.address, "name()(string)") == "Gold"
    assert world.read(token.address, "symbol()(string)") == "GLD"
    assert world.read(token.address, "decimals()(uint8)") == 18
    assert world.read(token.address, "totalSupply()(uint256)") == 1_000_000
    assert token.balance(ALICE) == 1_000_000
    assert bytes(world.state.get_code(token.address)) == artifact(file)


@pytest.mark.parametrize("size", [0, 31, 32, 33, 64, 1_024])
def test_token_keeps_names_of_every_size(world: World, size: int, file: str) -> None:
    token = make_token(world, file, "n" * size, "s")
    assert world.read(token.address, "name()(string)") == "n" * size
    assert world.read(token.address, "symbol()(string)") == "s"


def test_token_refuses_a_name_that_is_too_long(world: World, file: str) -> None:
    arguments = encode(["string", "string", "uint256"], ["n" * 1_025, "s", 1])
    assert reason(world.send(None, with_arguments(artifact(file), arguments))) == ("ERC20: name or symbol too long")


@pytest.mark.parametrize("arguments", [b"", bytes(64), bytes(31), b"\xff" * 96, bytes(31) + b"\x60" + bytes(63)])
def test_token_refuses_broken_constructor_arguments(world: World, arguments: bytes, file: str) -> None:
    done = world.send(None, with_arguments(artifact(file), arguments))
    assert done.reverted
    assert done.output == b""


def test_token_storage_is_laid_out_as_solidity_does(world: World, file: str) -> None:
    token = make_token(world, file, "Gold", "S" * 40, supply=7)
    token.call("approve(address,uint256)", BOB, 5)
    balance = keccak(ALICE.rjust(32, b"\0") + bytes(32))
    inner = keccak(ALICE.rjust(32, b"\0") + (1).to_bytes(32, "big"))
    allowance = keccak(BOB.rjust(32, b"\0") + inner)
    assert world.storage(token.address, int.from_bytes(balance, "big")) == 7
    assert world.storage(token.address, int.from_bytes(allowance, "big")) == 5
    assert world.storage(token.address, 2) == 7
    assert world.storage(token.address, 3).to_bytes(32, "big") == b"Gold".ljust(31, b"\0") + b"\x08"
    assert world.storage(token.address, 4) == 81
    first = int.from_bytes(keccak((4).to_bytes(32, "big")), "big")
    assert world.storage(token.address, first).to_bytes(32, "big") == b"S" * 32
    assert world.storage(token.address, first + 1).to_bytes(32, "big") == b"S" * 8 + bytes(24)


def test_transfer_moves_tokens_and_says_so(token: Token) -> None:
    done = token.call("transfer(address,uint256)(bool)", BOB, 250)
    assert done.error is None
    assert decode(["bool"], done.output) == (True,)
    [log] = done.logs
    topics = (keccak(text="Transfer(address,address,uint256)"), ALICE.rjust(32, b"\0"), BOB.rjust(32, b"\0"))
    assert (log.address, log.topics, log.data) == (token.address, topics, (250).to_bytes(32, "big"))
    assert (token.balance(ALICE), token.balance(BOB)) == (999_750, 250)
    assert done.split.instructions > 0
    assert done.split.eei > 0


def test_transfer_of_everything_to_oneself_changes_nothing(token: Token) -> None:
    assert token.call("transfer(address,uint256)", ALICE, 1_000_000).error is None
    assert token.balance(ALICE) == 1_000_000


def test_transfer_carries_over_all_bytes_of_a_number(world: World, file: str) -> None:
    token = make_token(world, file, supply=2**256 - 1)
    assert token.call("transfer(address,uint256)", BOB, 2**255 + 1).error is None
    assert token.balance(BOB) == 2**255 + 1
    assert token.balance(ALICE) == 2**255 - 2


@pytest.mark.parametrize("amount", [1_000_001, 2**256 - 1])
def test_transfer_of_too_much_reverts_with_a_reason(token: Token, amount: int) -> None:
    done = token.call("transfer(address,uint256)", BOB, amount)
    assert reason(done) == "ERC20: insufficient balance"
    assert done.logs == ()
    assert done.gas_used < GAS
    assert (token.balance(ALICE), token.balance(BOB)) == (1_000_000, 0)


def test_zero_addresses_are_refused(token: Token) -> None:
    nobody = bytes(20)
    assert reason(token.call("transfer(address,uint256)", nobody, 1)) == "ERC20: transfer to the zero address"
    assert reason(token.call("approve(address,uint256)", nobody, 1)) == "ERC20: approve to the zero address"


def test_allowance_is_used_up_by_transfer_from(token: Token) -> None:
    done = token.call("approve(address,uint256)(bool)", BOB, 300)
    topics = (keccak(text="Approval(address,address,uint256)"), ALICE.rjust(32, b"\0"), BOB.rjust(32, b"\0"))
    assert [(log.topics, log.data) for log in done.logs] == [(topics, (300).to_bytes(32, "big"))]
    assert token.call("transferFrom(address,address,uint256)", ALICE, CAROL, 200, sender=BOB).error is None
    assert token.allowance(ALICE, BOB) == 100
    assert (token.balance(ALICE), token.balance(BOB), token.balance(CAROL)) == (999_800, 0, 200)
    failed = token.call("transferFrom(address,address,uint256)", ALICE, CAROL, 101, sender=BOB)
    assert reason(failed) == "ERC20: insufficient allowance"
    assert token.allowance(ALICE, BOB) == 100


def test_endless_allowance_stays(token: Token) -> None:
    token.call("approve(address,uint256)", BOB, 2**256 - 1)
    assert token.call("transferFrom(address,address,uint256)", ALICE, BOB, 1, sender=BOB).error is None
    assert token.allowance(ALICE, BOB) == 2**256 - 1


def test_transfer_from_without_tokens_gives_the_allowance_back(token: Token) -> None:
    token.call("approve(address,uint256)", ALICE, 9, sender=BOB)
    assert reason(token.call("transferFrom(address,address,uint256)", BOB, CAROL, 5)) == "ERC20: insufficient balance"
    assert token.allowance(BOB, ALICE) == 9


@pytest.mark.parametrize(
    "data",
    ["a9059cbb", "a9059cbb" + "00" * 63, "a9059cbb" + "ff" * 64, "70a08231" + "01" + "00" * 31],
)
def test_malformed_call_data_reverts_without_a_reason(token: Token, data: str) -> None:
    done = token.world.send(token.address, bytes.fromhex(data))
    assert done.reverted
    assert done.output == b""


@pytest.mark.parametrize("data", [b"", b"\x12", b"\x12\x34\x56\x78"])
def test_unknown_function_reverts(token: Token, data: bytes) -> None:
    assert reason(token.world.send(token.address, data)) == "ERC20: no such function"


def test_token_takes_no_value(token: Token, file: str) -> None:
    done = token.world.call(token.address, "totalSupply()(uint256)", value=1)
    assert done.reverted
    assert token.world.send(None, artifact(file), value=1).reverted


# -- SHA-256 and the counter -------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["sha256", "sha256_zig", "sha256_as", "sha256_rust"])
@pytest.mark.parametrize("size", [0, 1, 3, 55, 56, 63, 64, 65, 119, 4_095, 4_096, 4_097, 10_000])
def test_sha256(world: World, size: int, file: str) -> None:
    if world.engine == "interpreter" and size > 119 and file != "sha256":
        # One instruction at a time, long messages are the business of one of the four.
        size %= 64
    hasher = world.deploy(wrap_runtime(artifact(f"sha256/{file}.wasm")))
    data = bytes(n * 7 % 251 for n in range(size))
    done = world.send(hasher, data)
    assert done.output == hashlib.sha256(data).digest()
    assert done.split.instructions > done.split.eei


def test_counter_counts_and_carries(world: World) -> None:
    counter = world.deploy(wrap_runtime(artifact("counter/counter.wasm")))
    assert world.read(counter, "number()(uint256)") == 0
    world.call(counter, "increment()")
    assert world.read(counter, "number()(uint256)") == 1
    world.call(counter, "setNumber(uint256)", 2**64 - 1)
    world.call(counter, "increment()")
    assert world.read(counter, "number()(uint256)") == 2**64
    world.call(counter, "setNumber(uint256)", 2**256 - 1)
    world.call(counter, "increment()")
    assert world.read(counter, "number()(uint256)") == 0
    assert world.send(counter, b"").reverted
    assert world.send(counter, parse_signature("setNumber(uint256)").selector).reverted
    assert world.call(counter, "increment()", value=1).reverted


# -- EVM and WebAssembly -----------------------------------------------------------------------------------------


Both = tuple[World, Token, bytes, bytes]


@pytest.fixture
def both(world: World) -> Both:
    token = make_token(world)
    forwarder = world.deploy(wrap_runtime(artifact("crossvm/forwarder.wasm")))
    payer = world.deploy(artifact("crossvm/payer.bin"))
    token.call("transfer(address,uint256)", payer, 500)
    return world, token, forwarder, payer


def test_evm_contract_moves_a_wasm_token(both: Both) -> None:
    world, token, _, payer = both
    done = world.call(payer, "pay(address,address,uint256)(bool)", token.address, BOB, 200)
    assert decode(["bool"], done.output) == (True,)
    assert [log.address for log in done.logs] == [token.address]
    assert (token.balance(payer), token.balance(BOB)) == (300, 200)


def test_revert_of_a_wasm_token_passes_up_through_the_evm(both: Both) -> None:
    world, token, _, payer = both
    done = world.call(payer, "pay(address,address,uint256)", token.address, BOB, 501)
    assert reason(done) == "ERC20: insufficient balance"
    assert token.balance(payer) == 500


def test_evm_contract_undoes_what_the_wasm_token_did(both: Both) -> None:
    world, token, _, payer = both
    done = world.call(payer, "payThenRevert(address,address,uint256)", token.address, BOB, 200)
    assert reason(done) == "Payer: undone on request"
    assert done.logs == ()
    assert (token.balance(payer), token.balance(BOB)) == (500, 0)


def test_wasm_contract_calls_an_evm_contract(both: Both) -> None:
    world, _, forwarder, payer = both
    touch = parse_signature("touch()").selector
    answer = world.read(forwarder, "forward(address,bytes)(bytes)", payer, touch)
    assert answer == (1).to_bytes(32, "big")
    assert world.read(payer, "touches()(uint256)") == 1
    assert world.read(forwarder, "forwarded()(uint256)") == 1


def test_wasm_contract_undoes_what_the_evm_contract_did(both: Both) -> None:
    world, _, forwarder, payer = both
    done = world.call(forwarder, "forwardThenRevert(address,bytes)", payer, parse_signature("touch()").selector)
    assert reason(done) == "Forwarder: undone on request"
    assert world.read(payer, "touches()(uint256)") == 0
    assert world.read(forwarder, "forwarded()(uint256)") == 0


def test_wasm_contract_passes_an_evm_revert_up_or_catches_it(both: Both) -> None:
    world, _, forwarder, payer = both
    failing = parse_signature("touchThenRevert()").selector
    assert reason(world.call(forwarder, "forward(address,bytes)", payer, failing)) == "Payer: undone on request"
    done = world.call(forwarder, "tryForward(address,bytes)", payer, failing)
    success, returned = decode(["bool", "bytes"], done.output)
    assert not success
    assert decode(["string"], returned[4:]) == ("Payer: undone on request",)
    assert world.read(payer, "touches()(uint256)") == 0
    assert world.read(forwarder, "forwarded()(uint256)") == 0


def test_forwarder_sends_value_on(both: Both) -> None:
    world, _, forwarder, _ = both
    assert world.call(forwarder, "forward(address,bytes)", CAROL, b"", value=77).error is None
    assert world.state.get_balance(CAROL) == 77


def test_forwarder_reaches_itself_through_the_other_machine(both: Both) -> None:
    """Wasm -> Wasm -> EVM -> Wasm, and the answer of each comes back whole."""
    world, token, forwarder, payer = both
    pay = parse_signature("pay(address,address,uint256)")
    innermost = pay.selector + encode(pay.inputs, [token.address, BOB, 1])
    forward = parse_signature("forward(address,bytes)")
    outer = forward.selector + encode(forward.inputs, [payer, innermost])
    answer = world.read(forwarder, "forward(address,bytes)(bytes)", forwarder, outer)
    assert decode(["bytes"], answer) == ((1).to_bytes(32, "big"),)
    assert token.balance(BOB) == 1
