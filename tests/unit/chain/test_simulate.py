"""Simulations: blocks like the ones that would be mined, and nothing left of them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from wasmtime import wat2wasm

from chain.block import Withdrawal
from chain.blockchain import Blockchain
from chain.crypto import keccak
from chain.forks import Fork
from chain.genesis import GenesisAccount
from chain.overrides import BlockOverrides
from chain.records import AccountOverride
from chain.refusals import Refused
from chain.requests import TxRequest
from chain.simulate import (
    BASE_FEE_TOO_LOW,
    BLOCK_GAS_LIMIT,
    BLOCK_NUMBER,
    BLOCK_TIMESTAMP,
    CLIENT_LIMIT,
    GAS_BUDGET,
    INIT_CODE_SIZE,
    INSUFFICIENT_FUNDS,
    INTRINSIC_GAS,
    INVALID_PARAMS,
    MAX_BLOCKS,
    NONCE_TOO_HIGH,
    NONCE_TOO_LOW,
    SimulatedBlock,
    Simulation,
    SimulationBlock,
    SimulationRefused,
    simulate,
)
from chain.system_contracts import BEACON_ROOTS, HISTORY_STORAGE, WITHDRAWAL_REQUESTS
from ewasm.initcode import with_arguments
from tests.unit.chain.support import ALICE, BOB, ETHER, GWEI, asm, created_address, new_chain, tx

CONTRACT, OTHER = b"\xc1" * 20, b"\xc2" * 20
EMPTY = b"\x55" * 20
ETHER_LOG = b"\xee" * 20
TRANSFER = keccak(b"Transfer(address,address,uint256)")
ECRECOVER = (1).to_bytes(20, "big")
SHA256 = (2).to_bytes(20, "big")
CONTRACTS = Path(__file__).parents[3] / "contracts"
ERC20 = CONTRACTS / "erc20" / "erc20.wasm"
INVALID = 0xFE


def run(chain: Blockchain, *blocks: SimulationBlock, **options: Any) -> list[SimulatedBlock]:
    return simulate(chain, chain.head, Simulation(blocks, **options))


def calls(*requests: TxRequest, accounts: dict[bytes, AccountOverride] | None = None, **block: Any) -> SimulationBlock:
    return SimulationBlock(BlockOverrides(**block), accounts or {}, requests)


def send(to: bytes | None = BOB, value: int = 0, data: bytes = b"", **fields: Any) -> TxRequest:
    return TxRequest(**{"sender": ALICE, "to": to, "value": value, "data": data, **fields})


def code_of(error: pytest.ExceptionInfo[SimulationRefused]) -> int:
    return error.value.code


def forward(value: int, to: bytes, end: bytes = b"") -> bytes:
    """EVM code that sends ether to an address."""
    zero = b"\x00"
    return asm(zero, zero, zero, zero, value.to_bytes(1, "big"), to, 0x5A, 0xF1, 0x50) + end


def ether_logs(block: SimulatedBlock, index: int) -> list[tuple[bytes, bytes, int]]:
    """(sender, recipient, wei) of a call's logs, all of which must be of ether."""
    logs = [item.log for item in block.calls[index].logs]
    assert {(log.address, log.topics[0], len(log.topics)) for log in logs} <= {(ETHER_LOG, TRANSFER, 3)}
    return [(log.topics[1][12:], log.topics[2][12:], int.from_bytes(log.data, "big")) for log in logs]


def test_simulated_blocks_are_those_that_are_mined() -> None:
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=forward(3, EMPTY), balance=10)})
    fees: dict[str, Any] = {"max_fee_per_gas": 10 * GWEI, "max_priority_fee_per_gas": GWEI, "gas": 300_000}
    init = asm(b"\x00", b"\x00", 0xF3)
    requests = [
        send(BOB, 5, **fees),
        send(CONTRACT, **fees),
        send(None, data=init, **fees),
        send(BOB, data=b"x", **fees),
    ]
    shape: dict[str, Any] = {
        "coinbase": EMPTY,
        "prev_randao": b"\x07" * 32,
        "withdrawals": (Withdrawal(0, 1, OTHER, 9),),
    }
    wanted = calls(*requests, timestamp=50, beacon_root=b"\x09" * 32, **shape)
    [simulated] = run(chain, wanted, validation=True)
    signed = [
        tx(nonce, to=request.to, value=request.value, data=request.data, **fees)
        for nonce, request in enumerate(requests)
    ]
    built = chain.build_block(
        signed,
        timestamp=50,
        parent_beacon_block_root=b"\x09" * 32,
        coinbase=EMPTY,
        prev_randao=b"\x07" * 32,
        withdrawals=shape["withdrawals"],
    )
    ours, theirs = simulated.block.header, built.block.header
    for name in (
        "state_root", "receipt_root", "gas_used", "bloom", "base_fee_per_gas", "gas_limit", "withdrawals_root",
        "requests_hash", "excess_blob_gas", "blob_gas_used", "parent_hash", "parent_beacon_block_root", "mix_hash",
    ):  # fmt: skip
        assert getattr(ours, name) == getattr(theirs, name), name
    assert [call.executed.gas_used for call in simulated.calls] == [receipt.gas_used for receipt in built.receipts]


def test_nothing_is_left_of_a_simulation() -> None:
    chain = new_chain()
    before = (chain.head.hash, chain.state_at().root)
    [block] = run(chain, calls(send(value=ETHER)))
    assert block.block.header.state_root != before[1]
    assert chain.block_by_hash(block.block.hash) is None
    assert chain.block_by_number(1) is None
    assert (chain.head.hash, chain.state_at().root) == before
    with pytest.raises(KeyError):
        chain.store.reader[block.block.header.state_root]


def test_a_wasm_token_lives_through_blocks() -> None:
    chain = new_chain()
    arguments = abi_encode(["string", "string", "uint256"], ["Gold", "GLD", 1_000])
    token = created_address(ALICE, 0)
    transfer = bytes.fromhex("a9059cbb") + BOB.rjust(32, b"\0") + (7).to_bytes(32, "big")
    balance_of = bytes.fromhex("70a08231") + BOB.rjust(32, b"\0")
    first, second, third = run(
        chain,
        calls(send(None, data=with_arguments(ERC20.read_bytes(), arguments))),
        calls(send(token, data=transfer), send(token, data=transfer, sender=BOB)),
        calls(send(token, data=balance_of), accounts={ALICE: AccountOverride(balance=0)}),
        log_ether=True,
    )
    assert first.calls[0].executed.created == token
    [log] = second.calls[0].logs
    assert (log.log.address, log.log.topics[0], log.log_index) == (token, TRANSFER, 0)
    assert second.calls[1].executed.success
    assert third.calls[0].executed.output == (7).to_bytes(32, "big")
    assert second.block.parent_hash == first.block.hash
    assert third.block.header.timestamp == second.block.header.timestamp + 12


def test_ether_is_logged_where_it_moves_and_only_there() -> None:
    destroy = asm(EMPTY, 0xFF)
    callcode = asm(b"\x00", b"\x00", b"\x00", b"\x00", b"\x05", OTHER, 0x5A, 0xF2, 0x50)
    code = forward(1, BOB) + callcode + forward(2, OTHER)
    chain = new_chain(
        accounts={CONTRACT: GenesisAccount(code=code, balance=100), OTHER: GenesisAccount(code=destroy, balance=40)}
    )
    wanted = calls(send(CONTRACT, 4), send(BOB))
    [quiet] = run(chain, wanted)
    assert [call.logs for call in quiet.calls] == [(), ()]
    [block] = run(chain, wanted, log_ether=True)
    assert ether_logs(block, 0) == [
        (ALICE, CONTRACT, 4),
        (CONTRACT, BOB, 1),
        # OTHER's code on CONTRACT's account: all of it leaves, so there is nothing for the last call to send.
        (CONTRACT, EMPTY, 103),
    ]
    assert block.calls[1].logs == ()
    # They are no part of receipts.
    assert block.block.header.bloom == bytes(256)
    assert block.block.header.receipt_root == quiet.block.header.receipt_root


def test_ether_that_wasm_frames_move_is_logged() -> None:
    forwarder = CONTRACTS / "crossvm" / "forwarder.wasm"
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=forwarder.read_bytes())})
    data = keccak(b"forward(address,bytes)")[:4] + abi_encode(["address", "bytes"], [EMPTY, b""])
    [block] = run(chain, calls(send(CONTRACT, 4, data=data)), log_ether=True)
    assert ether_logs(block, 0) == [(ALICE, CONTRACT, 4), (CONTRACT, EMPTY, 4)]


def test_ether_that_wasm_destroys_itself_for_is_logged() -> None:
    beneficiary = "".join(f"\\{byte:02x}" for byte in EMPTY)
    code = wat2wasm(
        f"""(module (import "ethereum" "selfDestruct" (func $end (param i32))) (memory (export "memory") 1)
        (data (i32.const 0) "{beneficiary}") (func (export "main") (call $end (i32.const 0))))"""
    )
    chain = new_chain(
        Fork.BYZANTIUM, accounts={CONTRACT: GenesisAccount(code=bytes(code), balance=9)}, rules="EWASM_2018"
    )
    [block] = run(chain, calls(send(CONTRACT, 1)), log_ether=True)
    assert ether_logs(block, 0) == [(ALICE, CONTRACT, 1), (CONTRACT, EMPTY, 10)]


def test_logs_of_failed_frames_leave_gaps() -> None:
    log = asm(b"\x00", b"\x00", 0xA0)
    failing = log + log + bytes((INVALID,))
    zero = b"\x00"
    calling = log + asm(zero, zero, zero, zero, zero, OTHER, (50_000).to_bytes(3, "big"), 0xF1, 0x50) + log
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=calling), OTHER: GenesisAccount(code=failing)})
    [block] = run(chain, calls(send(CONTRACT), send(CONTRACT)))
    assert [[log.log_index for log in call.logs] for call in block.calls] == [[0, 3], [4, 7]]


def test_gaps_are_filled_with_empty_blocks() -> None:
    chain = new_chain()
    blocks = run(chain, calls(number=3), calls(send(), timestamp=100))
    assert [item.block.number for item in blocks] == [1, 2, 3, 4]
    assert [item.block.timestamp for item in blocks] == [12, 24, 36, 100]
    for before, after in itertools.pairwise(blocks):
        assert after.block.parent_hash == before.block.hash


def test_block_hashes_of_simulated_blocks_are_seen() -> None:
    # BLOCKHASH of the calldata's number
    chain = new_chain(
        accounts={CONTRACT: GenesisAccount(code=asm(b"\0", 0x35, 0x40, b"\0", 0x52, b"\x20", b"\0", 0xF3))}
    )
    asked = [send(CONTRACT, data=number.to_bytes(32, "big")) for number in range(4)]
    blocks = run(chain, calls(), calls(), calls(*asked))
    seen = [call.executed.output for call in blocks[2].calls]
    assert seen == [chain.head.hash, blocks[0].block.hash, blocks[1].block.hash, bytes(32)]


def test_overrides_are_seen_by_contracts() -> None:
    # NUMBER, TIMESTAMP, COINBASE, GASLIMIT, BASEFEE, PREVRANDAO, BLOBBASEFEE in eight words
    ops = (0x43, 0x42, 0x41, 0x45, 0x48, 0x44, 0x4A)
    code = b"".join(asm(op, bytes((32 * at,)), 0x52) for at, op in enumerate(ops)) + asm(b"\xe0", b"\x00", 0xF3)
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=code)})
    shape: dict[str, Any] = {"number": 5, "timestamp": 99, "coinbase": OTHER, "gas_limit": 1_000_000, "base_fee": 7}
    blocks = run(chain, calls(send(CONTRACT), prev_randao=b"\x11" * 32, blob_base_fee=13, **shape))
    output = blocks[-1].calls[0].executed.output
    numbers = [int.from_bytes(output[at : at + 32], "big") for at in range(0, len(output), 32)]
    other = int.from_bytes(OTHER, "big")
    assert numbers == [5, 99, other, 1_000_000, 7, int.from_bytes(b"\x11" * 32, "big"), 13]
    # What is inherited and what is not.
    after = run(chain, calls(**shape), calls())[-1].block.header
    assert (after.coinbase, after.gas_limit, after.base_fee_per_gas) == (OTHER, 1_000_000, 0)


def test_beacon_roots_and_withdrawals() -> None:
    chain = new_chain()
    shape: dict[str, Any] = {"timestamp": 77, "beacon_root": b"\x0b" * 32, "withdrawals": (Withdrawal(1, 2, EMPTY, 3),)}
    [block] = run(chain, calls(send(BEACON_ROOTS, data=(77).to_bytes(32, "big")), **shape))
    assert block.calls[0].executed.output == b"\x0b" * 32
    assert block.block.withdrawals == shape["withdrawals"]
    # They are paid behind the calls.
    balance = asm(EMPTY, 0x31, b"\x00", 0x52, b"\x20", b"\x00", 0xF3)
    see = {OTHER: AccountOverride(code=balance)}
    blocks = run(chain, calls(send(OTHER), accounts=see, **shape), calls(send(OTHER)))
    assert [int.from_bytes(item.calls[0].executed.output, "big") for item in blocks] == [0, 3 * GWEI]


def test_blocks_survive_beacon_roots_but_not_requests_that_fail() -> None:
    chain = new_chain()
    broken = AccountOverride(code=asm(b"\x01", b"\x09", 0x55, INVALID))
    [block] = run(chain, calls(send(), accounts={BEACON_ROOTS: broken, HISTORY_STORAGE: broken}))
    assert block.calls[0].executed.success
    with pytest.raises(Refused, match="system call"):
        run(chain, calls(send(), accounts={WITHDRAWAL_REQUESTS: broken}))


def test_precompiles_move_and_make_room() -> None:
    chain = new_chain()
    one = asm(b"\x01", b"\x00", 0x52, b"\x20", b"\x00", 0xF3)
    moved = {SHA256: AccountOverride(code=one, move_precompile_to=OTHER)}
    empty_hash = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    first, second = run(chain, calls(send(SHA256), send(OTHER), accounts=moved), calls(send(SHA256), send(OTHER)))
    assert [call.executed.output for call in first.calls] == [(1).to_bytes(32, "big"), empty_hash]
    # For one block; the code stays, but is not reached.
    assert [call.executed.output for call in second.calls] == [empty_hash, b""]


@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        ({OTHER: AccountOverride(move_precompile_to=EMPTY)}, "not a precompile"),
        ({SHA256: AccountOverride(move_precompile_to=SHA256)}, "already overridden"),
        ({SHA256: AccountOverride(move_precompile_to=OTHER), OTHER: AccountOverride(balance=1)}, "already overridden"),
    ],
)
def test_moves_that_make_no_sense(accounts: dict[bytes, AccountOverride], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        run(new_chain(), calls(accounts=accounts))


@pytest.mark.parametrize(
    ("request_", "validation", "code"),
    [
        (send(nonce=3), True, NONCE_TOO_HIGH),
        (send(max_fee_per_gas=0), True, BASE_FEE_TOO_LOW),
        (send(gas=20_999), False, INTRINSIC_GAS),
        (send(value=10_000 * ETHER), False, INSUFFICIENT_FUNDS),
        (send(gas=30_000_001), False, BLOCK_GAS_LIMIT),
        (send(None, data=bytes(49_153), gas=20_000_000), False, INIT_CODE_SIZE),
        (send(max_fee_per_gas=1, max_priority_fee_per_gas=2), False, INVALID_PARAMS),
        (send(None, blob_hashes=(b"\x01" * 32,)), False, INVALID_PARAMS),
        (send(None, authorizations=()), False, INVALID_PARAMS),
    ],
)
def test_a_call_that_cannot_stand_ends_the_simulation(request_: TxRequest, validation: bool, code: int) -> None:
    with pytest.raises(SimulationRefused) as error:
        run(new_chain(), calls(send(gas_price=GWEI), request_), validation=validation)
    assert code_of(error) == code


def test_nonces_are_looked_at_with_validation_only() -> None:
    chain = new_chain()
    chain.build_block([tx(0)], timestamp=5)
    fees: dict[str, Any] = {"max_fee_per_gas": 10 * GWEI}
    with pytest.raises(SimulationRefused) as error:
        run(chain, calls(send(nonce=0, **fees)), validation=True)
    assert code_of(error) == NONCE_TOO_LOW
    [block] = run(chain, calls(send(nonce=0, **fees), send(nonce=9)))
    assert [sent.nonce for sent in block.block.transactions] == [0, 9]
    # Contracts may send, with validation too.
    coded = {OTHER: AccountOverride(code=b"\x00", balance=ETHER)}
    assert run(chain, calls(send(sender=OTHER, **fees), accounts=coded), validation=True)[0].calls[0].executed.success


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ((), INVALID_PARAMS),
        ((calls(number=0),), BLOCK_NUMBER),
        ((calls(number=3), calls(number=2)), BLOCK_NUMBER),
        ((calls(timestamp=0),), BLOCK_TIMESTAMP),
        ((calls(timestamp=9), calls(timestamp=9)), BLOCK_TIMESTAMP),
        ((calls(timestamp=(1 << 64) - 1), calls()), BLOCK_TIMESTAMP),
        ((calls(number=MAX_BLOCKS + 1),), CLIENT_LIMIT),
        ((calls(),) * (MAX_BLOCKS + 1), CLIENT_LIMIT),
        ((calls(*[send()] * 5_001),), CLIENT_LIMIT),
        ((calls(*[send()] * 5_000),) * 3, CLIENT_LIMIT),
    ],
)
def test_limits_and_order(blocks: tuple[SimulationBlock, ...], code: int) -> None:
    with pytest.raises(SimulationRefused) as error:
        run(new_chain(), *blocks)
    assert code_of(error) == code


def test_all_calls_share_one_budget() -> None:
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=asm(b"\xff" * 4, 0x51))})
    burn = [calls(send(CONTRACT)) for _ in range(3)]
    blocks = run(chain, *burn[:2])
    used = [item.calls[0].executed.gas_used for item in blocks]
    assert used == [30_000_000, GAS_BUDGET - 30_000_000]
    with pytest.raises(SimulationRefused) as error:
        run(chain, *burn)
    assert code_of(error) == INTRINSIC_GAS


def test_what_calls_return_is_bounded() -> None:
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=asm(b"\x01\xff\xff", b"\x00", 0xF3))})
    returned = send(CONTRACT, gas=70_000)
    assert len(run(chain, calls(returned))[0].calls[0].executed.output) == 0x1FFFF
    with pytest.raises(SimulationRefused, match="bytes") as error:
        run(chain, calls(*[returned] * 300))
    assert code_of(error) == CLIENT_LIMIT


def test_a_simulation_ends_in_time() -> None:
    chain = new_chain()
    seconds = iter(range(0, 10_000, 20))
    with pytest.raises(SimulationRefused) as error:
        simulate(chain, chain.head, Simulation((calls(send(), send(), send()),)), clock=lambda: float(next(seconds)))
    assert code_of(error) == CLIENT_LIMIT


def test_base_fees_move_with_validation_only() -> None:
    chain = new_chain()
    free = run(chain, calls(base_fee=100), calls())
    assert [item.block.header.base_fee_per_gas for item in free] == [100, 0]
    strict = run(chain, calls(base_fee=1_000), calls(), validation=True)
    assert [item.block.header.base_fee_per_gas for item in strict] == [1_000, 875]


def test_blob_transactions() -> None:
    chain = new_chain()
    blobs: dict[str, Any] = {
        "blob_hashes": (b"\x01" + bytes(31),) * 6,
        "max_fee_per_blob_gas": 10,
        "max_fee_per_gas": 10 * GWEI,
    }
    first, second = run(chain, calls(send(**blobs)), calls(send(**blobs)), validation=True)
    assert first.block.header.blob_gas_used == 6 << 17
    assert first.block.transactions[0].type == 3
    assert second.block.header.excess_blob_gas == 0
    poor: dict[str, Any] = {**blobs, "max_fee_per_blob_gas": 0}
    with pytest.raises(SimulationRefused) as error:
        run(chain, calls(send(**poor)), validation=True)
    assert code_of(error) == -32603
    assert run(chain, calls(send(**poor)))[0].calls[0].executed.success


@pytest.mark.parametrize("fork", [Fork.BYZANTIUM, Fork.BERLIN, Fork.LONDON, Fork.PARIS, Fork.SHANGHAI, Fork.OSAKA])
def test_every_fork(fork: Fork) -> None:
    chain = new_chain(fork)
    [block] = run(chain, calls(send(value=1), send(value=2)), log_ether=True)
    assert [call.executed.gas_used for call in block.calls] == [21_000, 21_000]
    assert (block.block.header.base_fee_per_gas is None) == (fork < Fork.LONDON)
    assert (block.block.header.withdrawals_root is None) == (fork < Fork.SHANGHAI)
    assert (block.block.header.requests_hash is None) == (fork < Fork.PRAGUE)
    assert {sent.type for sent in block.block.transactions} == {2 if fork >= Fork.LONDON else 0}
