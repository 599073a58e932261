"""Transactions of types 0 to 4: decoding, encoding, hashes, senders, and the gas they cost before they run.

Standards: yellow paper 4.2; EIP-155, 2718, 2930, 1559, 4844, 7702; gas of EIP-2, 2028, 2930, 3860, 7702 and 7623.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from chain import rlp_codec as rlp
from chain.crypto import SECP256K1_N, address_of_key, keccak, recover, sign
from chain.errors import InvalidTransaction
from chain.forks import Fork

__all__ = [
    "AccessList",
    "Authorization",
    "Tx",
    "decode_tx",
    "floor_gas",
    "intrinsic_gas",
    "is_unsigned",
    "sign_tx",
    "unsigned_tx",
]

AccessList = tuple[tuple[bytes, tuple[int, ...]], ...]

LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE = range(5)
SINCE = {
    LEGACY: Fork.FRONTIER,
    ACCESS_LIST: Fork.BERLIN,
    DYNAMIC_FEE: Fork.LONDON,
    BLOB: Fork.CANCUN,
    SET_CODE: Fork.PRAGUE,
}
GAS_PER_BLOB = 1 << 17
MAX_TX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Authorization:
    """One entry of a set-code transaction's list (EIP-7702)."""

    chain_id: int
    address: bytes
    nonce: int
    y_parity: int
    r: int
    s: int

    def authority(self) -> bytes | None:
        """20 bytes: who signed it, or None where the signature is no good or malleable."""
        if self.s > SECP256K1_N // 2:
            return None
        digest = keccak(b"\x05" + rlp.encode([self.chain_id, self.address, self.nonce]))
        return recover(digest, self.y_parity, self.r, self.s)


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction with its sender.

    Attributes:
        type: EIP-2718 type, 0 for legacy.
        chain_id: None for a legacy transaction without replay protection.
        gas_price: Wei; None from type 2 on.
        max_priority_fee_per_gas: Wei; equal to `gas_price` before type 2.
        max_fee_per_gas: Wei; equal to `gas_price` before type 2.
        to: 20 bytes, or None for a creation.
        v: The signature's v as encoded: y parity, or 27/28 and EIP-155's forms for legacy.
        hash: 32 bytes.
        sender: 20 bytes.
    """

    type: int
    chain_id: int | None
    nonce: int
    gas: int
    to: bytes | None
    value: int
    data: bytes
    sender: bytes
    gas_price: int | None = None
    max_priority_fee_per_gas: int = 0
    max_fee_per_gas: int = 0
    access_list: AccessList = ()
    max_fee_per_blob_gas: int = 0
    blob_hashes: tuple[bytes, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    v: int = 0
    r: int = 0
    s: int = 0
    hash: bytes = b""
    # The encoding, once it is known; `replace` leaves it behind.
    _encoded: bytes = field(init=False, default=b"", compare=False, repr=False)

    @property
    def is_create(self) -> bool:
        return self.to is None

    @property
    def blob_gas(self) -> int:
        return GAS_PER_BLOB * len(self.blob_hashes)

    def effective_gas_price(self, base_fee: int) -> int:
        """Wei a unit of gas costs the sender in a block with `base_fee`."""
        return min(self.max_fee_per_gas, base_fee + self.max_priority_fee_per_gas)

    def encode(self) -> bytes:
        """The signed transaction as it travels and as it stands in a trie."""
        if not self._encoded:
            object.__setattr__(self, "_encoded", _envelope(self, [self.v, self.r, self.s]))
        return self._encoded

    def encode_in_block(self) -> rlp.Item:
        """As an item of a block's list: a list for legacy, a byte string otherwise."""
        return rlp.decode(self.encode()) if self.type == LEGACY else self.encode()


def _fields(tx: Tx) -> list[rlp.Encodable]:
    to = tx.to or b""
    if tx.type == LEGACY:
        return [tx.nonce, tx.gas_price or 0, tx.gas, to, tx.value, tx.data]
    access: list[rlp.Encodable] = [
        [address, [slot.to_bytes(32, "big") for slot in slots]] for address, slots in tx.access_list
    ]
    if tx.type == ACCESS_LIST:
        return [tx.chain_id or 0, tx.nonce, tx.gas_price or 0, tx.gas, to, tx.value, tx.data, access]
    fees = [tx.chain_id or 0, tx.nonce, tx.max_priority_fee_per_gas, tx.max_fee_per_gas]
    common: list[rlp.Encodable] = [*fees, tx.gas, to, tx.value, tx.data, access]
    if tx.type == BLOB:
        common += [tx.max_fee_per_blob_gas, list(tx.blob_hashes)]
    elif tx.type == SET_CODE:
        common.append([[a.chain_id, a.address, a.nonce, a.y_parity, a.r, a.s] for a in tx.authorizations])
    return common


def _envelope(tx: Tx, tail: Sequence[int]) -> bytes:
    payload = rlp.encode([*_fields(tx), *tail])
    return payload if tx.type == LEGACY else bytes((tx.type,)) + payload


def _signing_hash(tx: Tx) -> bytes:
    return keccak(_envelope(tx, [tx.chain_id, 0, 0] if tx.type == LEGACY and tx.chain_id is not None else []))


def _address_or_none(item: rlp.Item) -> bytes | None:
    return rlp.as_bytes(item, 0, 20) or None


def _access_list(item: rlp.Item) -> AccessList:
    entries = []
    for entry in rlp.as_list(item):
        address, slots = rlp.as_list(entry, 2)
        keys = tuple(int.from_bytes(rlp.as_bytes(slot, 32), "big") for slot in rlp.as_list(slots))
        entries.append((rlp.as_bytes(address, 20), keys))
    return tuple(entries)


def _authorization(item: rlp.Item) -> Authorization:
    chain_id, address, nonce, y_parity, r, s = rlp.as_list(item, 6)
    return Authorization(
        rlp.as_int(chain_id),
        rlp.as_bytes(address, 20),
        rlp.as_int(nonce, bits=64),
        rlp.as_int(y_parity, bits=8),
        rlp.as_int(r),
        rlp.as_int(s),
    )


def _decode_legacy(items: list[rlp.Item]) -> Tx:
    nonce, price, gas, to, value, data, v, r, s = items
    v_value = rlp.as_int(v)
    gas_price = rlp.as_int(price)
    return Tx(
        type=LEGACY,
        chain_id=(v_value - 35) // 2 if v_value >= 35 else None,
        nonce=rlp.as_int(nonce, bits=64),
        gas=rlp.as_int(gas, bits=64),
        to=_address_or_none(to),
        value=rlp.as_int(value),
        data=rlp.as_bytes(data),
        sender=b"",
        gas_price=gas_price,
        max_priority_fee_per_gas=gas_price,
        max_fee_per_gas=gas_price,
        v=v_value,
        r=rlp.as_int(r),
        s=rlp.as_int(s),
    )


FIELD_COUNT = {ACCESS_LIST: 11, DYNAMIC_FEE: 12, BLOB: 14, SET_CODE: 13}


def _decode_typed(kind: int, items: list[rlp.Item]) -> Tx:
    v, r, s = (rlp.as_int(item) for item in items[-3:])
    chain_id, nonce = rlp.as_int(items[0]), rlp.as_int(items[1], bits=64)
    price: int | None = None
    if kind == ACCESS_LIST:
        price = rlp.as_int(items[2])
        tip = cap = price
        rest = items[3:-3]
    else:
        tip, cap = rlp.as_int(items[2]), rlp.as_int(items[3])
        rest = items[4:-3]
    gas, to, value, data, access, *extra = rest
    blob_fee = 0
    hashes: tuple[bytes, ...] = ()
    authorizations: tuple[Authorization, ...] = ()
    if kind == BLOB:
        blob_fee = rlp.as_int(extra[0])
        hashes = tuple(rlp.as_bytes(item, 32) for item in rlp.as_list(extra[1]))
    elif kind == SET_CODE:
        authorizations = tuple(_authorization(item) for item in rlp.as_list(extra[0]))
    return Tx(
        type=kind,
        chain_id=chain_id,
        nonce=nonce,
        gas=rlp.as_int(gas, bits=64),
        to=_address_or_none(to),
        value=rlp.as_int(value),
        data=rlp.as_bytes(data),
        sender=b"",
        gas_price=price,
        max_priority_fee_per_gas=tip,
        max_fee_per_gas=cap,
        access_list=_access_list(access),
        max_fee_per_blob_gas=blob_fee,
        blob_hashes=hashes,
        authorizations=authorizations,
        v=v,
        r=r,
        s=s,
    )


def decode_tx(raw: bytes, sender: bytes | None = None) -> Tx:
    """Decode a signed transaction.

    Args:
        raw: RLP list (legacy) or type byte and payload (EIP-2718). A blob transaction may come in its network form,
            with blobs, commitments and proofs behind it; they are dropped.
        sender: 20 bytes where it is known already; otherwise it is recovered from the signature.

    Raises:
        InvalidTransaction: Not a transaction, or the signature fits no key.
    """
    if not raw:
        raise InvalidTransaction("transaction is empty", "malformed")
    if len(raw) > MAX_TX_BYTES:
        raise InvalidTransaction(f"transaction is larger than {MAX_TX_BYTES} bytes", "oversize")
    try:
        tx = _decode(raw)
    except rlp.RlpError as error:
        raise InvalidTransaction(f"cannot decode transaction: {error}", "malformed") from error
    if sender is None:
        y_parity = tx.v if tx.type else (tx.v - 27 if tx.chain_id is None else (tx.v - 35) % 2)
        sender = recover(_signing_hash(tx), y_parity, tx.r, tx.s)
        if sender is None:
            raise InvalidTransaction("invalid signature", "signature")
    encoded = tx.encode()
    # Nobody else has seen it yet.
    object.__setattr__(tx, "sender", sender)
    object.__setattr__(tx, "hash", keccak(encoded))
    return tx


def _decode(raw: bytes) -> Tx:
    if raw[0] >= 0xC0:
        return _decode_legacy(rlp.as_list(rlp.decode(raw), 9))
    kind = raw[0]
    if kind not in FIELD_COUNT:
        raise InvalidTransaction(f"transaction type 0x{kind:02x} is not supported", "type")
    items = rlp.as_list(rlp.decode(raw[1:]))
    if kind == BLOB and items and isinstance(items[0], list):
        items = items[0]
    return _decode_typed(kind, rlp.as_list(items, FIELD_COUNT[kind]))


def sign_tx(tx: Tx, private_key: bytes) -> Tx:
    """`tx` with signature, sender and hash; a legacy transaction gets EIP-155's v where it has a chain id."""
    y_parity, r, s = sign(_signing_hash(tx), private_key)
    v = y_parity
    if tx.type == LEGACY:
        v += 27 if tx.chain_id is None else 35 + 2 * tx.chain_id
    signed = replace(tx, v=v, r=r, s=s, sender=address_of_key(private_key))
    return replace(signed, hash=keccak(signed.encode()))


def unsigned_tx(tx: Tx) -> Tx:
    """`tx` as sent by an impersonated account: no signature, a hash that depends on the sender.

    The sender goes in as r, so that two accounts' equal transactions have different hashes.
    """
    v = 0 if tx.type else (27 if tx.chain_id is None else 35 + 2 * tx.chain_id)
    marked = replace(tx, v=v, r=int.from_bytes(tx.sender, "big"), s=0)
    return replace(marked, hash=keccak(marked.encode()))


def is_unsigned(tx: Tx) -> bool:
    """Whether an impersonated account sent it (`unsigned_tx`); no signature can look like that, since s is never 0."""
    return tx.s == 0 and tx.r == int.from_bytes(tx.sender, "big")


def intrinsic_gas(tx: Tx, fork: Fork) -> int:
    """Gas a transaction costs before it runs."""
    zeros = tx.data.count(0)
    gas = 21000 + 4 * zeros + (16 if fork >= Fork.ISTANBUL else 68) * (len(tx.data) - zeros)
    if tx.is_create and fork >= Fork.HOMESTEAD:
        gas += 32000
        if fork >= Fork.SHANGHAI:
            gas += 2 * ((len(tx.data) + 31) // 32)
    gas += 2400 * len(tx.access_list) + 1900 * sum(len(slots) for _, slots in tx.access_list)
    return gas + 25000 * len(tx.authorizations)


def floor_gas(tx: Tx, fork: Fork) -> int:
    """Least gas a transaction is charged, whatever it does (EIP-7623)."""
    if fork < Fork.PRAGUE:
        return 0
    zeros = tx.data.count(0)
    return 21000 + 10 * (zeros + 4 * (len(tx.data) - zeros))
