"""The chain's interface: blocks, heads, states, calls and edits."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from chain.blockchain import AccountOverride, CallRequest
from chain.builder import next_base_fee
from chain.errors import InvalidBlock, InvalidTransaction, UnknownBlock
from chain.forks import Fork
from chain.genesis import GenesisAccount
from chain.transaction import Authorization
from tests.unit.chain.support import ALICE, BOB, ETHER, GWEI, OTHER_KEY, asm, legacy_tx, new_chain, tx

CONTRACT = b"\xc0" * 20
RETURN_SLOT_0 = asm(b"\x00", 0x54, b"\x00", 0x52, b"\x20", b"\x00", 0xF3)


def test_a_block_links_to_its_parent_and_pays_the_coinbase() -> None:
    coinbase = b"\xcb" * 20
    chain = new_chain(coinbase=coinbase)
    genesis = chain.head
    built = chain.build_block([tx(0, value=7)], timestamp=1000)
    header = built.block.header
    assert (header.parent_hash, header.block_number, header.timestamp) == (genesis.hash, 1, 1000)
    assert header.base_fee_per_gas == next_base_fee(genesis.header) == 875_000_000
    receipt = built.receipts[0]
    assert (receipt.gas_used, receipt.effective_gas_price) == (21_000, 875_000_000 + GWEI)
    state = chain.state_at()
    assert state.balance(coinbase) == 21_000 * GWEI
    assert state.balance(BOB) == 1000 * ETHER + 7
    assert state.balance(ALICE) == 1000 * ETHER - 7 - 21_000 * receipt.effective_gas_price
    assert state.nonce(ALICE) == 1
    assert state.root == header.state_root
    assert chain.state_at(genesis.hash).nonce(ALICE) == 0


@pytest.mark.parametrize("fork", [fork for fork in Fork if fork >= Fork.BYZANTIUM], ids=lambda fork: fork.name)
def test_blocks_made_on_a_fork_are_imported_by_another_node(fork: Fork) -> None:
    accounts = {CONTRACT: GenesisAccount(code=RETURN_SLOT_0, storage={0: 5})}
    maker, importer = (new_chain(fork, accounts=accounts) for _ in range(2))
    for number in range(3):
        built = maker.build_block(
            [legacy_tx(2 * number, to=CONTRACT), legacy_tx(2 * number + 1, to=None, data=b"\x00")],
            timestamp=1000 + number,
        )
        assert built.rejected == ()
        assert importer.import_block(built.block.block) == built.block
    assert importer.head.hash == maker.head.hash
    assert importer.receipts(importer.head.hash) == maker.receipts(maker.head.hash)


def test_timestamp_must_rise() -> None:
    chain = new_chain()
    chain.build_block([], timestamp=1000)
    for timestamp in (999, 1000):
        with pytest.raises(InvalidBlock):
            chain.build_block([], timestamp=timestamp)
    assert chain.build_block([]).block.timestamp > 1000


def test_unknown_things() -> None:
    chain = new_chain()
    assert chain.block_by_number(1) is None
    assert chain.block_by_number(-1) is None
    assert chain.block_by_hash(bytes(32)) is None
    assert chain.transaction(bytes(32)) is None
    for ask in (chain.receipts, chain.state_at, chain.set_head):
        with pytest.raises(UnknownBlock):
            ask(bytes(32))


def test_set_head_goes_back_and_forth() -> None:
    chain = new_chain()
    first = chain.build_block([tx(0)], timestamp=1000).block
    second = chain.build_block([tx(1)], timestamp=1001).block
    chain.set_head(first.hash)
    assert chain.head == first
    assert chain.block_by_number(2) is None
    assert chain.transaction(second.transactions[0].hash) is None
    assert chain.block_by_hash(second.hash) == second
    other = chain.build_block([tx(1, value=9)], timestamp=1005).block
    assert chain.block_by_number(2) == other
    chain.set_head(second.hash)
    assert chain.block_by_number(2) == second
    assert chain.transaction(other.transactions[0].hash) is None
    assert chain.transaction(second.transactions[0].hash) == (second, 0)


def test_a_longer_branch_replaces_the_canonical_one() -> None:
    ours, theirs = new_chain(), new_chain()
    ours.build_block([tx(0)], timestamp=1000)
    branch = [theirs.build_block([tx(0, value=n)], timestamp=2000 + n).block for n in range(1)]
    branch += [theirs.build_block([tx(n)], timestamp=2000 + n).block for n in range(1, 4)]
    for block in branch:
        ours.import_block(block.block, make_head=block is branch[-1])
    assert ours.head == branch[-1]
    assert [ours.block_by_number(n + 1) for n in range(4)] == branch
    assert ours.state_at().nonce(ALICE) == 4


def test_a_block_that_is_not_stored_leaves_nothing() -> None:
    chain = new_chain()
    built = chain.build_block([tx(0)], timestamp=1000, store=False)
    assert built.receipts[0].status == 1
    assert chain.head.number == 0
    assert chain.block_by_hash(built.block.hash) is None
    assert chain.build_block([tx(0)], timestamp=1000).block.hash == built.block.hash


def test_a_fault_in_a_block_leaves_the_chain_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = new_chain()
    with monkeypatch.context() as patched:
        patched.setattr("chain.blockchain.finish", lambda *_a, **_k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            chain.build_block([tx(0)], timestamp=1000)
    assert chain.head.number == 0
    assert chain.build_block([tx(0)], timestamp=1000).rejected == ()


def test_gas_limit_of_a_block_is_kept() -> None:
    chain = new_chain()
    sent = [tx(0, gas=20_000_000), tx(0, OTHER_KEY, gas=20_000_000, to=ALICE)]
    built = chain.build_block(sent, timestamp=1000, gas_limit=20_000_001)
    assert built.block.transactions == (sent[0],)
    assert built.rejected[0][1].rule == "block-full"
    assert built.block.header.gas_limit == 20_000_001


def test_pool_takes_nonces_from_the_future_only() -> None:
    chain = new_chain()
    chain.build_block([tx(0)], timestamp=1000)
    chain.validate_for_pool(tx(1))
    chain.validate_for_pool(tx(7))
    with pytest.raises(InvalidTransaction, match="nonce too low"):
        chain.validate_for_pool(tx(0))
    with pytest.raises(InvalidTransaction, match="nonce too high"):
        chain.validate_for_pool(tx(7), exact_nonce=True)
    with pytest.raises(InvalidTransaction, match="insufficient funds"):
        chain.validate_for_pool(tx(1, value=1000 * ETHER))
    with pytest.raises(InvalidTransaction, match="block gas limit"):
        chain.validate_for_pool(tx(1, gas=30_000_001))
    # Today's base fee is no reason to turn a transaction away.
    chain.validate_for_pool(tx(1, max_fee_per_gas=1, max_priority_fee_per_gas=1))


def test_call_changes_nothing_and_is_free() -> None:
    write = asm(b"\x2a", b"\x00", 0x55)
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=write + RETURN_SLOT_0)})
    root = chain.state_at().root
    outcome = chain.call(CallRequest(sender=b"\x99" * 20, to=CONTRACT))
    assert outcome.is_success
    assert outcome.output == (42).to_bytes(32, "big")
    assert chain.state_at().root == root
    assert chain.state_at().storage(CONTRACT, 0) == bytes(32)


def test_call_sees_the_block_it_runs_on() -> None:
    number_and_time = asm(0x43, b"\x00", 0x52, 0x42, b"\x20", 0x52, b"\x40", b"\x00", 0xF3)
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=number_and_time)})
    first = chain.build_block([], timestamp=1000).block
    chain.build_block([], timestamp=2000)
    request = CallRequest(to=CONTRACT)

    def seen(raw: bytes) -> tuple[int, int]:
        return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")

    assert seen(chain.call(request).output) == (2, 2000)
    assert seen(chain.call(request, first).output) == (1, 1000)
    assert seen(chain.call(request, first.hash).output) == (1, 1000)
    number, timestamp = seen(chain.call(request, on_pending=True).output)
    assert number == 3
    assert timestamp > 2000
    env = replace(chain.next_env(timestamp=5000), number=77)
    assert seen(chain.call(request, env=env).output) == (77, 5000)


def test_call_gives_back_revert_data_and_failures() -> None:
    revert = asm(b"\xaa", b"\x00", 0x53, b"\x01", b"\x00", 0xFD)
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=revert)})
    outcome = chain.call(CallRequest(to=CONTRACT))
    assert (outcome.status, outcome.output, outcome.error) == ("revert", b"\xaa", "execution reverted")
    failed = chain.call(CallRequest(data=b"\xfe", gas=100_000))
    assert (failed.status, failed.output, failed.error, failed.gas_used) == (
        "failure",
        b"",
        "invalid opcode: INVALID",
        100_000,
    )


def test_call_wants_funds_only_for_what_it_pays() -> None:
    chain = new_chain()
    poor = b"\x99" * 20
    with pytest.raises(InvalidTransaction, match="insufficient funds"):
        chain.call(CallRequest(sender=poor, to=BOB, value=1))
    with pytest.raises(InvalidTransaction, match="insufficient funds"):
        chain.call(CallRequest(sender=poor, to=BOB, gas_price=10 * GWEI))
    with pytest.raises(InvalidTransaction, match="base fee"):
        chain.call(CallRequest(sender=ALICE, to=BOB, gas_price=1))
    with pytest.raises(InvalidTransaction, match="intrinsic gas"):
        chain.call(CallRequest(to=BOB, gas=20_999))
    with pytest.raises(InvalidTransaction, match="both gasPrice"):
        chain.call(CallRequest(to=BOB, gas_price=1, max_fee_per_gas=1))


def test_estimates_from_calls_are_exact() -> None:
    clear = asm(b"\x00", b"\x00", 0x55)
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=clear, storage={0: 1})})
    outcome = chain.call(CallRequest(to=CONTRACT))
    assert outcome.max_gas_used > outcome.gas_used
    assert chain.call(CallRequest(to=CONTRACT, gas=outcome.max_gas_used)).is_success
    assert not chain.call(CallRequest(to=CONTRACT, gas=outcome.max_gas_used - 1)).is_success


def test_overrides_last_for_one_call() -> None:
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=RETURN_SLOT_0, storage={0: 1, 1: 2})})
    poor = b"\x99" * 20
    overrides = {
        poor: AccountOverride(balance=ETHER, nonce=4),
        CONTRACT: AccountOverride(storage_diff={0: 9}),
    }
    outcome = chain.call(CallRequest(sender=poor, to=CONTRACT, value=1), overrides=overrides)
    assert outcome.output == (9).to_bytes(32, "big")
    wiped = chain.call(CallRequest(to=CONTRACT), overrides={CONTRACT: AccountOverride(storage={})})
    assert wiped.output == bytes(32)
    coded = chain.call(CallRequest(to=BOB), overrides={BOB: AccountOverride(code=RETURN_SLOT_0)})
    assert coded.output == bytes(32)
    assert chain.call(CallRequest(to=CONTRACT)).output == (1).to_bytes(32, "big")


def test_edits_from_outside_last_and_can_be_forgotten() -> None:
    chain = new_chain()
    chain.edit_state({BOB: AccountOverride(balance=5, nonce=3, code=RETURN_SLOT_0, storage_diff={0: 8})})
    state = chain.state_at()
    assert (state.balance(BOB), state.nonce(BOB), state.code(BOB)) == (5, 3, RETURN_SLOT_0)
    chain.forget_edits()
    assert chain.state_at().balance(BOB) == 1000 * ETHER
    chain.edit_state({BOB: AccountOverride(balance=5)})
    chain.build_block([tx(0, value=1)], timestamp=1000)
    assert chain.state_at().balance(BOB) == 6


def test_reads_on_other_threads_see_committed_blocks() -> None:
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=RETURN_SLOT_0, storage={0: 3})})
    chain.build_block([tx(0)], timestamp=1000)
    seen: list[object] = []

    def read() -> None:
        seen.append(chain.state_at().nonce(ALICE))
        seen.append(chain.call(CallRequest(to=CONTRACT)).output[-1])
        seen.append(chain.block_by_number(1))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert seen == [1, 3, chain.head]


def test_block_hashes_reach_back_256_blocks() -> None:
    blockhash = asm(b"\x00", 0x35, 0x40, b"\x00", 0x52, b"\x20", b"\x00", 0xF3)
    chain = new_chain(accounts={CONTRACT: GenesisAccount(code=blockhash)})
    for number in range(260):
        chain.build_block([], timestamp=1000 + number)

    def ask(number: int) -> bytes:
        return chain.call(CallRequest(to=CONTRACT, data=number.to_bytes(32, "big"))).output

    assert chain.head.number == 260
    for number in (4, 100, 259):
        record = chain.block_by_number(number)
        assert record is not None
        assert ask(number) == record.hash
    for number in (3, 260, 261):
        assert ask(number) == bytes(32)


def test_set_code_transaction_with_a_bad_authorization_still_runs() -> None:
    bad = Authorization(0, CONTRACT, 0, 1, 1, 1)
    chain = new_chain()
    built = chain.build_block([tx(0, type=4, authorizations=(bad,))], timestamp=1000)
    assert built.outcomes[0].status == "success"
    assert built.receipts[0].gas_used == 21_000 + 25_000
    assert chain.build_block([tx(1, type=4)], timestamp=1001).rejected[0][1].rule == "authorizations"


def test_a_balance_that_would_overflow_refuses_the_transaction_only() -> None:
    chain = new_chain()
    chain.edit_state({BOB: AccountOverride(balance=2**256 - 1)})
    other = b"\x77" * 20
    built = chain.build_block([tx(0, value=1), tx(0, to=other, value=3)], timestamp=1000)
    assert [error.rule for _, error in built.rejected] == ["overflow"]
    assert chain.state_at().balance(other) == 3
    assert chain.state_at().balance(BOB) == 2**256 - 1
    with pytest.raises(InvalidTransaction, match="overflow"):
        chain.call(CallRequest(sender=ALICE, to=BOB, value=1))
