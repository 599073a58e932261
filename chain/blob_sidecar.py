"""Blobs that travel with a transaction (EIP-4844, EIP-7594): looked at once, when it is sent, and not kept.

The network form is the transaction's fields, then blobs, commitments and proofs; from Osaka on with a version in front
of them and a proof for each of a blob's 128 cells. Blocks hold the fields alone, and there is no other node that would
ask for blobs. The first check of a process reads the KZG setup, which takes a good second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from chain import rlp_codec as rlp
from chain.errors import InvalidTransaction
from chain.transaction import BLOB, Tx

__all__ = ["check_sidecar"]

BLOB_BYTES = 131_072
POINT_BYTES = 48
CELLS = 128
CELL_PROOFS_VERSION = b"\x01"


def check_sidecar(raw: bytes, tx: Tx) -> None:
    """Check blobs, commitments and proofs where a transaction brings them.

    Args:
        raw: The transaction as it was sent.
        tx: The same, decoded.

    Raises:
        InvalidTransaction: They do not belong together, or to the transaction's versioned hashes.
    """
    if tx.type != BLOB:
        return
    items = rlp.as_list(rlp.decode(raw[1:]))
    if not isinstance(items[0], list):
        return
    try:
        blobs, commitments, proofs, per_blob = _parts(items)
    except rlp.RlpError as error:
        raise _wrong(f"cannot be decoded: {error}") from None
    count = len(tx.blob_hashes)
    if not len(blobs) == len(commitments) == count or len(proofs) != per_blob * count:
        found = f"{len(blobs)} blobs, {len(commitments)} commitments, {len(proofs)} proofs"
        raise _wrong(f"does not fit: {found} for {count} versioned hashes")
    for index, (commitment, wanted) in enumerate(zip(commitments, tx.blob_hashes, strict=True)):
        have = b"\x01" + hashlib.sha256(commitment).digest()[1:]
        if have != wanted:
            raise _wrong(f"has blob {index} with hash 0x{have.hex()}, the transaction has 0x{wanted.hex()}")
    if not _proofs_hold(blobs, commitments, proofs, cells=per_blob == CELLS):
        raise _wrong("has a proof that does not hold")


def _wrong(reason: str) -> InvalidTransaction:
    return InvalidTransaction(f"blob sidecar {reason}", "sidecar")


def _parts(items: Sequence[rlp.Item]) -> tuple[list[bytes], list[bytes], list[bytes], int]:
    """(blobs, commitments, proofs, how many proofs a blob has) of a network form."""
    per_blob = 1
    tail = items[1:]
    if len(items) == 5:
        if items[1] != CELL_PROOFS_VERSION:
            raise rlp.RlpError("unknown version")
        per_blob = CELLS
        tail = items[2:]
    if len(tail) != 3:
        raise rlp.RlpError(f"{len(items)} items")
    sizes = (BLOB_BYTES, POINT_BYTES, POINT_BYTES)
    blobs, commitments, proofs = (
        [rlp.as_bytes(item, size) for item in rlp.as_list(part)] for part, size in zip(tail, sizes, strict=True)
    )
    return blobs, commitments, proofs, per_blob


def _proofs_hold(blobs: Sequence[bytes], commitments: Sequence[bytes], proofs: Sequence[bytes], *, cells: bool) -> bool:
    import ckzg

    from chain.hardening import kzg_setup

    setup = kzg_setup()
    try:
        if not cells:
            return bool(
                ckzg.verify_blob_kzg_proof_batch(b"".join(blobs), b"".join(commitments), b"".join(proofs), setup)
            )
        repeated = [commitment for commitment in commitments for _ in range(CELLS)]
        indices = [*range(CELLS)] * len(blobs)
        parts = [cell for blob in blobs for cell in ckzg.compute_cells(blob, setup)]
        return bool(ckzg.verify_cell_kzg_proof_batch(repeated, indices, parts, list(proofs), setup))
    except (RuntimeError, ValueError):
        return False
