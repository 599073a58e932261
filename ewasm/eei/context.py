"""Message, transaction and block fields: nothing here depends on state."""

from __future__ import annotations

from ewasm.eei.frame import Frame

_MASK_I64 = (1 << 64) - 1


def get_address(frame: Frame, out: int) -> None:
    frame.charge(frame.prices["context"])
    frame.memory.write(out, frame.message.recipient)


def get_caller(frame: Frame, out: int) -> None:
    frame.charge(frame.prices["context"])
    frame.memory.write(out, frame.message.sender)


def get_tx_origin(frame: Frame, out: int) -> None:
    frame.charge(frame.prices["context"])
    frame.memory.write(out, frame.tx.origin)


def get_block_coinbase(frame: Frame, out: int) -> None:
    frame.charge(frame.prices["context"])
    frame.memory.write(out, frame.tx.coinbase)


def get_call_value(frame: Frame, out: int) -> None:
    """Fails where the value needs more than 128 bits."""
    frame.charge(frame.prices["context"])
    frame.write_u128(out, frame.message.value)


def get_tx_gas_price(frame: Frame, out: int) -> None:
    """Fails where the price needs more than 128 bits."""
    frame.charge(frame.prices["context"])
    frame.write_u128(out, frame.tx.gas_price)


def get_block_difficulty(frame: Frame, out: int) -> None:
    """Since EIP-4399 the number is the previous randao."""
    frame.charge(frame.prices["context"])
    frame.write_u256(out, frame.tx.difficulty)


def get_block_gas_limit(frame: Frame) -> int:
    frame.charge(frame.prices["context"])
    return frame.tx.gas_limit & _MASK_I64


def get_block_number(frame: Frame) -> int:
    frame.charge(frame.prices["context"])
    return frame.tx.number & _MASK_I64


def get_block_timestamp(frame: Frame) -> int:
    frame.charge(frame.prices["context"])
    return frame.tx.timestamp_s & _MASK_I64


def get_chain_id(frame: Frame, out: int) -> None:
    frame.charge(frame.prices["context"])
    frame.write_u256(out, frame.tx.chain_id)


def get_base_fee(frame: Frame, out: int) -> None:
    """0 before EIP-1559."""
    frame.charge(frame.prices["context"])
    frame.write_u256(out, frame.tx.base_fee)


def get_blob_base_fee(frame: Frame, out: int) -> None:
    """0 before EIP-4844."""
    frame.charge(frame.prices["context"])
    frame.write_u256(out, frame.tx.blob_base_fee)


def get_blob_hash(frame: Frame, index: int, out: int) -> int:
    frame.charge(frame.prices["blob_hash"])
    if index >= len(frame.tx.blob_hashes):
        return 1
    frame.memory.write(out, frame.tx.blob_hashes[index])
    return 0


def get_prev_randao(frame: Frame, out: int) -> None:
    frame.charge(frame.prices["context"])
    frame.memory.write(out, frame.tx.prev_randao)
