"""Tries in a store, whatever is committed, rolled back, tried, forgotten or opened again, against the reference."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from chain.crypto import keccak
from chain.overlay import Overlay
from chain.state_trie import StateTrie
from chain.store import MemoryStore, SqliteStore, Store
from chain.trie import EMPTY_ROOT

KEYS = st.integers(0, 400).map(lambda number: number.to_bytes(20, "big"))
VALUES = st.one_of(st.just(b""), st.binary(min_size=1, max_size=3), st.binary(min_size=60, max_size=80))
BATCHES = st.one_of(
    st.dictionaries(KEYS, VALUES, min_size=1, max_size=8),
    # Enough for full branches.
    st.integers(0, 3).map(lambda mark: {number.to_bytes(20, "big"): bytes([mark + 1]) * 70 for number in range(300)}),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["commit", "commit", "commit", "roll back", "try", "forget", "open again"]),
        # How far back the state is that the batch goes on from.
        st.sampled_from([0, 0, 0, 1, 2]),
        BATCHES,
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=40)
@given(STEPS, st.booleans())
def test_every_committed_state_is_that_of_the_reference(steps: list[Any], on_disk: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:

        def opened() -> Store:
            return SqliteStore(Path(directory)) if on_disk else MemoryStore(spilled_bytes=40_000)

        store = opened()
        states: list[tuple[bytes, dict[bytes, bytes]]] = [(EMPTY_ROOT, {})]
        try:
            for step, back, batch in steps:
                if step == "forget":
                    store.reader.cache.clear()
                elif step == "open again" and on_disk:
                    store.close()
                    store = opened()
                root, content = states[max(0, len(states) - 1 - back)]
                after = {key: value for key, value in {**content, **batch}.items() if value}
                trie = StateTrie(Overlay(store.reader) if step == "try" else store.writer)
                made = trie.update(root, batch.items())
                assert made == _root(after)
                trie.write()
                assert all(trie.get(made, key) == value for key, value in batch.items())
                if step == "try":
                    continue
                if step == "roll back":
                    store.rollback()
                    continue
                store.commit()
                states.append((made, after))
            for root, content in states:
                reader = StateTrie(store.reader)
                assert all(reader.get(root, key) == value for key, value in content.items())
        finally:
            store.close()


def _root(content: dict[bytes, bytes]) -> bytes:
    reference: Any = HexaryTrie({})
    for key, value in content.items():
        reference[keccak(key)] = value
    root: bytes = reference.root_hash
    return root
