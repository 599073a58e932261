"""Blobs that travel with a transaction are those it names, with proofs that hold; they are dropped after that."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache

import ckzg
import pytest

from chain import rlp_codec as rlp
from chain.errors import InvalidTransaction
from chain.hardening import kzg_setup
from chain.transaction import Tx
from tests.unit.chain.support import new_chain, tx


@dataclass(frozen=True)
class Sidecar:
    blobs: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    proofs: tuple[bytes, ...]
    version: bytes | None = None

    @property
    def hashes(self) -> tuple[bytes, ...]:
        return tuple(b"\x01" + hashlib.sha256(item).digest()[1:] for item in self.commitments)


@cache
def sidecar(*, cells: bool) -> Sidecar:
    """Two blobs."""
    setup = kzg_setup()
    blobs = tuple(b"".join((at * seed).to_bytes(32, "big") for at in range(4096)) for seed in (1, 2))
    commitments = tuple(ckzg.blob_to_kzg_commitment(blob, setup) for blob in blobs)
    if not cells:
        pairs = zip(blobs, commitments, strict=True)
        proofs = tuple(ckzg.compute_blob_kzg_proof(blob, commitment, setup) for blob, commitment in pairs)
        return Sidecar(blobs, commitments, proofs)
    proofs = tuple(proof for blob in blobs for proof in ckzg.compute_cells_and_kzg_proofs(blob, setup)[1])
    return Sidecar(blobs, commitments, proofs, b"\x01")


def blob_tx(hashes: tuple[bytes, ...]) -> Tx:
    return tx(0, type=3, blob_hashes=hashes, max_fee_per_blob_gas=10)


def network_form(sent: Tx, side: Sidecar) -> bytes:
    fields = rlp.decode(sent.encode()[1:])
    version = [] if side.version is None else [side.version]
    return b"\x03" + rlp.encode([fields, *version, list(side.blobs), list(side.commitments), list(side.proofs)])


@pytest.mark.parametrize("cells", [False, True])
def test_what_belongs_together_is_taken_and_dropped(cells: bool) -> None:
    chain = new_chain()
    side = sidecar(cells=cells)
    sent = blob_tx(side.hashes)
    assert chain.decode_transaction(network_form(sent, side)) == sent
    assert chain.build_block([sent]).block.transactions == (sent,)


def test_a_transaction_may_come_without_its_blobs() -> None:
    sent = blob_tx((b"\x01" + bytes(31),))
    assert new_chain().decode_transaction(sent.encode()) == sent


def turned(items: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return items[::-1]


@pytest.mark.parametrize("cells", [False, True])
def test_what_does_not_belong_together_is_refused(cells: bool) -> None:
    chain = new_chain()
    side = sidecar(cells=cells)
    sent = blob_tx(side.hashes)
    wrong = {
        "does not hold": [
            replace(side, blobs=turned(side.blobs)),
            replace(side, proofs=turned(side.proofs)),
            replace(side, proofs=(b"\xff" * 48, *side.proofs[1:])),
            replace(side, blobs=(b"\xff" * 131_072, side.blobs[1])),
        ],
        "with hash": [replace(side, commitments=turned(side.commitments))],
        "does not fit": [
            replace(side, blobs=side.blobs[:1]),
            replace(side, proofs=side.proofs[:-1]),
            replace(side, commitments=(*side.commitments, side.commitments[0])),
            replace(side, version=None if cells else b"\x01"),
        ],
        "decoded": [replace(side, version=b"\x02"), replace(side, blobs=(b"", b""))],
    }
    for reason, sides in wrong.items():
        for other in sides:
            with pytest.raises(InvalidTransaction, match=reason) as error:
                chain.decode_transaction(network_form(sent, other))
            assert error.value.rule == "sidecar"
