"""Own codec, tries and accounts against py-evm's, trie's and rlp's: the same roots and answers, whatever happens."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import rlp as reference_rlp
from eth.db.account import AccountDB
from eth.db.atomic import AtomicDB
from eth.vm.transient_storage import TransientStorage
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from chain import rlp_codec as rlp
from chain.block import Header
from chain.builder import finish, open_block, run_tx
from chain.crypto import keccak
from chain.errors import InvalidTransaction
from chain.executor import state_class
from chain.forks import Fork, ForkSchedule
from chain.state_db import StateDB
from chain.state_trie import StateTrie
from chain.store import MemoryStore
from chain.system_contracts import SYSTEM_CODE
from chain.transaction import DYNAMIC_FEE, LEGACY, Tx
from chain.transition import BlockEnv, open_state
from chain.trie import EMPTY_ROOT
from tests.unit.chain.support import machine

# RLP

ITEMS = st.recursive(
    st.one_of(st.binary(max_size=70), st.binary(min_size=250, max_size=300)), lambda inner: st.lists(inner, max_size=20)
)


@given(ITEMS)
def test_rlp_encodes_as_the_reference_and_back(item: Any) -> None:
    encoded = rlp.encode(item)
    assert encoded == reference_rlp.encode(item)
    assert rlp.decode(encoded) == item


@given(st.one_of(st.binary(max_size=12), ITEMS.map(rlp.encode), ITEMS.map(lambda item: rlp.encode(item)[:-1])))
def test_rlp_decodes_and_refuses_what_the_reference_does(data: bytes) -> None:
    try:
        expected = reference_rlp.decode(data)
    except reference_rlp.DecodingError:
        with pytest.raises(rlp.RlpError):
            rlp.decode(data)
    else:
        assert rlp.decode(data) == expected


# Tries

# Few keys, so that they meet; and small values, so that nodes stand inside their parents.
KEYS = st.integers(0, 60).map(lambda number: number.to_bytes(20, "big"))
VALUES = st.one_of(st.just(b""), st.binary(min_size=1, max_size=3), st.binary(min_size=30, max_size=40))


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=12), max_size=6), st.booleans())
def test_batched_tries_have_the_roots_of_the_reference(batches: list[dict[bytes, bytes]], forget: bool) -> None:
    store = MemoryStore()
    expected: Any = HexaryTrie({})
    trie, root = StateTrie(store.writer), EMPTY_ROOT
    for batch in batches:
        root = trie.update(root, batch.items())
        for key, value in batch.items():
            expected[keccak(key)] = value
        assert root == expected.root_hash
        if forget:
            trie.write()
            store.commit()
            store.reader.cache.clear()
            trie = StateTrie(store.writer)
        for key in batch:
            assert trie.get(root, key) == expected[keccak(key)]


@given(
    st.dictionaries(st.binary(min_size=2, max_size=2), st.binary(min_size=1, max_size=2), min_size=1, max_size=40),
    st.sets(st.binary(min_size=2, max_size=2), max_size=20),
)
# A branch that begins with a hash and holds a node looks like a leaf for two items.
@example({b"\0\0": b"\3", b"\0\1": b"\0", b"\1\0": b"\2", b" \0": b"\0"}, set())
def test_nodes_inside_nodes(content: dict[bytes, bytes], gone: set[bytes]) -> None:
    """Keys as they are, to reach what hashed keys reach once in billions."""
    store = MemoryStore()
    expected: Any = HexaryTrie({})
    for key, value in content.items():
        expected[key] = value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chain.state_trie.keccak", lambda data: data if len(data) == 2 else keccak(data))
        trie = StateTrie(store.writer)
        root = trie.update(EMPTY_ROOT, content.items())
        assert root == expected.root_hash
        removed = gone | set(list(content)[::2])
        for key in removed:
            del expected[key]
        trie.write()
        fresh = StateTrie(store.writer)
        assert fresh.update(root, ((key, b"") for key in removed)) == expected.root_hash
        assert all(fresh.get(root, key) == value for key, value in content.items())


# Accounts


class _Reference:
    """py-evm's account database, with the transient storage that its Cancun state keeps beside it."""

    def __init__(self) -> None:
        self.db = AccountDB(AtomicDB())
        self.transient = TransientStorage()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.db, name)

    def record(self) -> Any:
        checkpoint = self.db.record()
        self.transient.record(checkpoint)
        return checkpoint, self.db.state_root

    def discard(self, checkpoint: Any) -> None:
        self.db.discard(checkpoint[0])
        self.transient.discard(checkpoint[0])

    def commit(self, checkpoint: Any) -> None:
        self.db.commit(checkpoint[0])
        self.transient.commit(checkpoint[0])


ADDRESSES = st.integers(1, 4).map(lambda number: bytes([number]) * 20)
SLOTS = st.integers(0, 3)
WORDS = st.one_of(st.just(0), st.integers(1, 3), st.integers(0, 2**256 - 1))
CHANGES = st.one_of(
    st.tuples(st.just("set_balance"), ADDRESSES, WORDS),
    st.tuples(st.just("set_nonce"), ADDRESSES, st.integers(0, 2**64 - 1)),
    st.tuples(st.just("set_code"), ADDRESSES, st.binary(max_size=4)),
    st.tuples(st.just("delete_code"), ADDRESSES),
    st.tuples(st.just("touch_account"), ADDRESSES),
    st.tuples(st.just("set_storage"), ADDRESSES, SLOTS, WORDS),
    st.tuples(st.just("set_storage"), ADDRESSES, SLOTS, WORDS),
    st.tuples(st.just("mark_address_warm"), ADDRESSES),
    st.tuples(st.just("mark_storage_warm"), ADDRESSES, SLOTS),
    st.tuples(st.just("set_transient_storage"), ADDRESSES, SLOTS, st.binary(min_size=1, max_size=2)),
)
FRAMES = st.recursive(
    st.lists(CHANGES, max_size=6),
    lambda inner: st.lists(st.one_of(CHANGES, st.tuples(st.sampled_from(["keep", "undo"]), inner)), max_size=6),
    max_leaves=25,
)
# As in a block: transactions of nested frames, accounts deleted at the end of some, roots at the end of some.
BLOCKS = st.lists(
    st.tuples(FRAMES, st.lists(ADDRESSES, max_size=2), st.sampled_from(["go on", "go on", "root", "persist"])),
    max_size=5,
)


def _run(frames: list[Any], mine: Any, theirs: _Reference) -> None:
    for step in frames:
        if step[0] in ("keep", "undo"):
            ours, reference = mine.record(), theirs.record()
            _run(step[1], mine, theirs)
            end = "commit" if step[0] == "keep" else "discard"
            getattr(mine, end)(ours)
            getattr(theirs, end)(reference)
        else:
            target: Any = theirs.transient if step[0] == "set_transient_storage" else theirs
            getattr(mine, step[0])(*step[1:])
            getattr(target, step[0])(*step[1:])


def _compare(mine: Any, theirs: _Reference) -> None:
    for number in range(1, 5):
        address: Any = bytes([number]) * 20
        for name in ("get_balance", "get_nonce", "get_code", "get_code_hash", "account_exists", "account_is_empty"):
            assert getattr(mine, name)(address) == getattr(theirs, name)(address), name
        assert mine.is_address_warm(address) == theirs.is_address_warm(address)
        for slot in range(4):
            assert mine.get_storage(address, slot) == theirs.get_storage(address, slot)
            assert mine.get_storage(address, slot, False) == theirs.get_storage(address, slot, False)
            assert mine.is_storage_warm(address, slot) == theirs.is_storage_warm(address, slot)
            assert mine.get_transient_storage(address, slot) == theirs.transient.get_transient_storage(address, slot)


@settings(deadline=None)
@given(BLOCKS)
def test_accounts_are_those_of_the_reference(blocks: list[Any]) -> None:
    mine: Any = StateDB(MemoryStore().writer)
    theirs = _Reference()
    for frames, deleted, end in blocks:
        mine.lock_changes()
        theirs.lock_changes()
        _run(frames, mine, theirs)
        _compare(mine, theirs)
        for address in deleted:
            mine.delete_account(address)
            theirs.delete_account(address)
        mine.clear_transient_storage()
        theirs.transient.clear()
        mine.lock_changes()
        theirs.lock_changes()
        if end == "root":
            assert mine.make_state_root() == theirs.make_state_root()
        elif end == "persist":
            mine.persist()
            theirs.persist()
            assert mine.state_root == theirs.state_root
        _compare(mine, theirs)
    assert mine.make_state_root() == theirs.make_state_root()


# Blocks: the short way of plain transfers and of the system's calls, against py-evm's frames on py-evm's accounts


@cache
def _judge(fork: Fork) -> Any:
    own: Any = state_class(fork, machine())
    base: Any = own.__mro__[1]
    return type(
        "Judge",
        (base,),
        {
            # A class derived from the fork's runs every frame.
            "computation_class": type("Frames", (own.computation_class,), {}),
            "account_db_class": lambda db, root: AccountDB(AtomicDB(db), root),
            "set_system_contracts": lambda _self: None,
            "has_code_or_nonce": own.has_code_or_nonce,
            "blob_base_fee": own.blob_base_fee,
        },
    )


PEOPLE = [bytes([0xA0 + number]) * 20 for number in range(3)]
STOPPER, REVERTER = b"\xc1" * 20, b"\xc2" * 20
STRANGERS = [b"\xee" * 20, (1).to_bytes(20, "big"), (3).to_bytes(20, "big"), (9).to_bytes(20, "big"), b"\x0c" * 20]
ETHER = 10**18

TRANSFERS = st.builds(
    lambda sender, to, value, gas, price, legacy, data: (sender, to, value, gas, price, legacy, data),
    st.sampled_from(PEOPLE),
    st.sampled_from([*PEOPLE, *STRANGERS, STOPPER, REVERTER]),
    st.one_of(st.just(0), st.integers(0, 3), st.integers(0, ETHER)),
    st.sampled_from([21_000, 21_001, 30_000, 90_000]),
    st.integers(0, 20),
    st.booleans(),
    st.sampled_from([b"", b"", b"\x00", b"\x01\x02"]),
)


@settings(deadline=None)
@given(
    st.sampled_from(
        [Fork.FRONTIER, Fork.HOMESTEAD, Fork.BYZANTIUM, Fork.BERLIN, Fork.LONDON, Fork.CANCUN, Fork.PRAGUE]
    ),
    st.lists(TRANSFERS, max_size=6),
    st.sampled_from([bytes(20), PEOPLE[0], STRANGERS[0]]),
    st.integers(1, 2**40),
    st.booleans(),
)
def test_blocks_are_those_of_the_frames(
    fork: Fork, transfers: list[Any], coinbase: bytes, timestamp: int, requests: bool
) -> None:
    base_fee = 7 if fork >= Fork.LONDON else None
    env = BlockEnv(fork, 1, 5, timestamp, coinbase, 10**7, base_fee=base_fee)
    results = [_block(env, transfers, requests, kind) for kind in (None, _judge(fork))]
    assert results[0] == results[1]


def _block(env: BlockEnv, transfers: list[Any], requests: bool, kind: Any) -> Any:
    """Verdicts, receipts and roots of a block of transfers that starts from a few accounts."""
    store = MemoryStore()
    state = open_state(env, machine(), store.writer, EMPTY_ROOT, (), kind)
    for person in PEOPLE[:2]:
        state.set_balance(person, ETHER)
    state.set_code(STOPPER, b"\x00")
    state.set_code(REVERTER, bytes.fromhex("5f5ffd"))
    for address, code in SYSTEM_CODE.items():
        state.set_nonce(address, 1)
        state.set_code(address, code)
        if requests:
            # Excess in the queues: what is asked there counts down.
            state.set_storage(address, 0, 3)
    state.persist()
    parent_root = bytes(31) + b"\x07"
    block = open_block(
        env,
        ForkSchedule(blocks=((0, env.fork),)),
        machine(),
        store.writer,
        state.state_root,
        (),
        parent_hash=keccak(b"parent"),
        parent_beacon_block_root=parent_root,
        kind=kind,
    )
    verdicts: list[Any] = []
    for sender, to, value, gas, price, legacy, data in transfers:
        kind_of_tx = LEGACY if legacy or env.fork < Fork.LONDON else DYNAMIC_FEE
        nonce = block.state.get_nonce(sender)
        tx = Tx(kind_of_tx, 1, nonce, gas, to, value, data, sender, price, price // 2, price, v=37)
        try:
            verdicts.append(run_tx(block, replace(tx, chain_id=None, v=27) if env.fork < Fork.SPURIOUS_DRAGON else tx))
        except InvalidTransaction as error:
            verdicts.append(str(error))
    made = finish(block, Header(bytes(32), bytes(20), bytes(32), 4, 10**7, 0))
    return verdicts, made.header, block.receipts


def test_full_branches_near_the_root_are_those_of_the_reference() -> None:
    store = MemoryStore()
    expected: Any = HexaryTrie({})
    content = {number.to_bytes(20, "big"): number.to_bytes(40, "big") for number in range(1, 400)}
    for key, value in content.items():
        expected[keccak(key)] = value
    trie = StateTrie(store.writer)
    root = trie.update(EMPTY_ROOT, content.items())
    assert root == expected.root_hash
    trie.write()
    fresh = StateTrie(store.writer)
    assert all(fresh.get(root, key) == value for key, value in content.items())
    gone = list(content)[::3]
    for key in gone:
        del expected[keccak(key)]
    assert fresh.update(root, ((key, b"") for key in gone)) == expected.root_hash
