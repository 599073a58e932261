"""Parameters of requests: from JSON to Python values, with an exact reason where one cannot be used.

A parser takes the JSON value and returns the Python one, or raises `BadValue` with the reason alone; the dispatcher
adds which parameter it was. Quantities and data follow the execution-apis schema: `0x`, no leading zeros for
quantities, an even number of digits for data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from chain.block import Withdrawal
from chain.overrides import BlockOverrides
from chain.records import AccountOverride
from chain.requests import BlockRef, LogFilter, LogQuery, TxRequest
from chain.transaction import Authorization

__all__ = [
    "REQUIRED",
    "BadValue",
    "Param",
    "address",
    "bind",
    "block_number",
    "block_overrides",
    "block_ref",
    "boolean",
    "data",
    "field",
    "hash32",
    "index",
    "list_of",
    "log_filter",
    "loose_quantity",
    "percentiles",
    "quantity",
    "raw_object",
    "state_overrides",
    "storage_key",
    "text",
    "tx_request",
    "withdrawals",
]

MAX_TOPICS = 4
MAX_FILTER_ITEMS = 1_000
MAX_PERCENTILES = 100
MAX_WITHDRAWALS = 1_024
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
TAGS = frozenset({"latest", "pending", "earliest", "safe", "finalized"})


class BadValue(ValueError):
    """Why a value cannot be used, without saying which parameter it was."""


class _Required:
    """Marks a parameter without a default."""


REQUIRED: Final = _Required()


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a method: its name in messages, its parser, and what stands in where it is missing or null."""

    name: str
    parse: Callable[[Any], Any]
    default: Any = REQUIRED


def bind(specs: Sequence[Param], params: Any) -> list[Any]:
    """Match positional or named parameters with what a method takes.

    Raises:
        BadValue: Naming the parameter.
    """
    if params is None:
        params = []
    if isinstance(params, dict):
        unknown = params.keys() - {spec.name for spec in specs}
        if unknown:
            raise BadValue(f"unknown parameter {min(unknown)!r}")
        params = [params.get(spec.name) for spec in specs]
    if len(params) > len(specs):
        # A trailing null is what some clients send for "nothing".
        if any(extra is not None for extra in params[len(specs) :]):
            raise BadValue(f"too many arguments, want at most {len(specs)}")
        params = params[: len(specs)]
    values = []
    for position, spec in enumerate(specs):
        given = params[position] if position < len(params) else None
        if given is None:
            if spec.default is REQUIRED:
                raise BadValue(f"missing value for required argument {position} ({spec.name})")
            values.append(spec.default)
            continue
        try:
            values.append(spec.parse(given))
        except BadValue as error:
            raise BadValue(f"invalid argument {position} ({spec.name}): {error}") from None
    return values


def _hex_digits(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue(f"expected a hex string, got {_kind(value)}")
    if not value:
        raise BadValue("empty hex string")
    if value[:2] not in ("0x", "0X"):
        raise BadValue("hex string without 0x prefix")
    digits = value[2:]
    if not _HEX_DIGITS.issuperset(digits):
        raise BadValue("invalid hex string")
    return digits


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def quantity(value: Any, bits: int = 256) -> int:
    """A hex quantity of at most `bits` bits."""
    digits = _hex_digits(value)
    if not digits:
        raise BadValue('hex string "0x" has no digits')
    if digits[0] == "0" and len(digits) > 1:
        raise BadValue("hex number with leading zero digits")
    number = int(digits, 16)
    if number >> bits:
        raise BadValue(f"hex number > {bits} bits")
    return number


def quantity64(value: Any) -> int:
    """A hex quantity of at most 64 bits."""
    return quantity(value, 64)


def loose_quantity(value: Any) -> int:
    """A quantity in hex (leading zeros allowed), as a decimal string or as a JSON number; not negative."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise BadValue(f"expected a number, got {_kind(value)}")
    if isinstance(value, float):
        if not value.is_integer():
            raise BadValue("expected a whole number")
        value = int(value)
    if isinstance(value, str):
        if value.isdecimal() and len(value) < 80:
            value = int(value)
        else:
            digits = _hex_digits(value)
            value = int(digits, 16) if digits else 0
    if value < 0:
        raise BadValue("must not be negative")
    if value >> 256:
        raise BadValue("number > 256 bits")
    return int(value)


def index(value: Any) -> int:
    """Position in a block."""
    return quantity(value, 32)


def data(value: Any) -> bytes:
    """Bytes in hex."""
    digits = _hex_digits(value)
    if len(digits) % 2:
        raise BadValue("hex string of odd length")
    return bytes.fromhex(digits)


def _sized(value: Any, size: int, what: str) -> bytes:
    raw = data(value)
    if len(raw) != size:
        raise BadValue(f"hex string has length {2 * len(raw)}, want {2 * size} for {what}")
    return raw


def address(value: Any) -> bytes:
    """20 bytes; the case of the digits is not checked."""
    return _sized(value, 20, "an address")


def hash32(value: Any) -> bytes:
    """32 bytes."""
    return _sized(value, 32, "a hash")


def storage_key(value: Any) -> bytes:
    """A storage key of up to 32 bytes, shorter ones being padded on the left."""
    digits = _hex_digits(value)
    if len(digits) > 64:
        raise BadValue(f"storage key too long (want at most 32 bytes): {value[:80]}")
    return bytes.fromhex(digits.zfill(64))


def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise BadValue(f"expected a string, got {_kind(value)}")
    return value


def boolean(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise BadValue(f"expected true or false, got {_kind(value)}")
    return value


def raw_object(value: Any) -> dict[str, Any]:
    """Any object, unparsed."""
    if not isinstance(value, dict):
        raise BadValue(f"expected an object, got {_kind(value)}")
    return value


def list_of(parse: Callable[[Any], Any], limit: int = MAX_FILTER_ITEMS) -> Callable[[Any], tuple[Any, ...]]:
    """A parser for arrays of at most `limit` items."""

    def parse_list(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise BadValue(f"expected an array, got {_kind(value)}")
        if len(value) > limit:
            raise BadValue(f"too many items: {len(value)}, want at most {limit}")
        items = []
        for position, item in enumerate(value):
            try:
                items.append(parse(item))
            except BadValue as error:
                raise BadValue(f"item {position}: {error}") from None
        return tuple(items)

    return parse_list


def percentiles(value: Any) -> tuple[float, ...]:
    """Reward percentiles: numbers between 0 and 100 that do not fall."""
    if not isinstance(value, list):
        raise BadValue(f"expected an array, got {_kind(value)}")
    if len(value) > MAX_PERCENTILES:
        raise BadValue(f"over the query limit {MAX_PERCENTILES}")
    numbers: list[float] = []
    for item in value:
        if isinstance(item, bool) or not isinstance(item, (int, float)) or not math.isfinite(item):
            raise BadValue(f"invalid reward percentile: {_kind(item)}")
        if not 0 <= item <= 100:
            raise BadValue(f"invalid reward percentile: {item}")
        if numbers and item < numbers[-1]:
            raise BadValue(f"invalid reward percentile: {item} after {numbers[-1]}")
        numbers.append(float(item))
    return tuple(numbers)


def block_number(value: Any) -> BlockRef:
    """A block number or tag."""
    if isinstance(value, str) and value in TAGS:
        return BlockRef(tag=value)
    return BlockRef(number=quantity64(value))


def block_ref(value: Any) -> BlockRef:
    """A block number, tag, bare 32-byte hash, or an EIP-1898 object."""
    if isinstance(value, dict):
        return _eip1898(value)
    if isinstance(value, str) and len(value) == 66:
        return BlockRef(hash=hash32(value))
    return block_number(value)


def _eip1898(value: dict[str, Any]) -> BlockRef:
    unknown = value.keys() - {"blockNumber", "blockHash", "requireCanonical"}
    if unknown:
        raise BadValue(f"unknown field {min(unknown)!r}")
    number, block_hash = value.get("blockNumber"), value.get("blockHash")
    canonical = value.get("requireCanonical")
    if number is not None and block_hash is not None:
        raise BadValue("cannot specify both blockHash and blockNumber, choose one or the other")
    if number is not None:
        ref: BlockRef = field("blockNumber", block_number, number)
        return ref
    if block_hash is not None:
        must = False if canonical is None else field("requireCanonical", boolean, canonical)
        return BlockRef(hash=field("blockHash", hash32, block_hash), require_canonical=must)
    raise BadValue("want blockNumber or blockHash")


def field(name: str, parse: Callable[[Any], Any], value: Any) -> Any:
    """Parse a field of an object; the error names it."""
    try:
        return parse(value)
    except BadValue as error:
        raise BadValue(f"{name}: {error}") from None


def _access_entry(value: Any) -> tuple[bytes, tuple[int, ...]]:
    entry = raw_object(value)
    keys = entry.get("storageKeys")
    slots = () if keys is None else field("storageKeys", list_of(hash32, 100_000), keys)
    return field("address", address, entry.get("address")), tuple(int.from_bytes(slot, "big") for slot in slots)


def _authorization(value: Any) -> Authorization:
    entry = raw_object(value)
    parity = entry.get("yParity", entry.get("v"))
    return Authorization(
        chain_id=field("chainId", quantity, entry.get("chainId")),
        address=field("address", address, entry.get("address")),
        nonce=field("nonce", quantity64, entry.get("nonce")),
        y_parity=field("yParity", quantity64, parity),
        r=field("r", quantity, entry.get("r")),
        s=field("s", quantity, entry.get("s")),
    )


# JSON name -> (attribute, parser). Fields for blob sidecars and unknown fields are ignored, as geth does.
_TX_FIELDS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "from": ("sender", address),
    "to": ("to", address),
    "gas": ("gas", quantity64),
    "gasPrice": ("gas_price", quantity),
    "maxFeePerGas": ("max_fee_per_gas", quantity),
    "maxPriorityFeePerGas": ("max_priority_fee_per_gas", quantity),
    "maxFeePerBlobGas": ("max_fee_per_blob_gas", quantity),
    "value": ("value", quantity),
    "nonce": ("nonce", quantity64),
    "chainId": ("chain_id", quantity),
    "type": ("type", loose_quantity),
    "accessList": ("access_list", list_of(_access_entry, 100_000)),
    "blobVersionedHashes": ("blob_hashes", list_of(hash32, 64)),
    "authorizationList": ("authorizations", list_of(_authorization, 10_000)),
}


def tx_request(value: Any) -> TxRequest:
    """A transaction object. `input` and `data` may both be there if they are equal; `to` may be "" or "0x"."""
    fields = raw_object(value)
    values: dict[str, Any] = {}
    for name, (attribute, parse) in _TX_FIELDS.items():
        item = fields.get(name)
        if item is None or (name == "to" and item in ("", "0x")):
            continue
        values[attribute] = field(name, parse, item)
    given_data = _optional_data("data", fields)
    given_input = _optional_data("input", fields)
    if given_data is not None and given_input is not None and given_data != given_input:
        raise BadValue('both "data" and "input" are set and not equal; use "input" to pass transaction call data')
    values["data"] = given_data if given_input is None else given_input
    if "gas_price" in values and ("max_fee_per_gas" in values or "max_priority_fee_per_gas" in values):
        raise BadValue("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    return TxRequest(**values)


def _optional_data(name: str, fields: dict[str, Any]) -> bytes | None:
    item = fields.get(name)
    return None if item is None else field(name, data, item)


def log_filter(value: Any) -> LogFilter:
    """The filter object of eth_getLogs and its relatives."""
    fields = raw_object(value)
    block_hash, first, last = fields.get("blockHash"), fields.get("fromBlock"), fields.get("toBlock")
    if block_hash is not None and (first is not None or last is not None):
        raise BadValue("cannot specify both blockHash and fromBlock/toBlock, choose one or the other")
    wanted = fields.get("address")
    addresses: tuple[bytes, ...] = ()
    if isinstance(wanted, list):
        addresses = field("address", list_of(address), wanted)
    elif wanted is not None:
        addresses = (field("address", address, wanted),)
    return LogFilter(
        query=LogQuery(frozenset(addresses), _topics(fields.get("topics"))),
        from_block=None if first is None else field("fromBlock", block_number, first),
        to_block=None if last is None else field("toBlock", block_number, last),
        block_hash=None if block_hash is None else field("blockHash", hash32, block_hash),
    )


def _topics(value: Any) -> tuple[frozenset[bytes] | None, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadValue(f"topics: expected an array, got {_kind(value)}")
    if len(value) > MAX_TOPICS:
        raise BadValue(f"topics: exceed max topics {MAX_TOPICS}")
    positions: list[frozenset[bytes] | None] = []
    for item in value:
        if item is None:
            positions.append(None)
        elif isinstance(item, list):
            # An empty list, or a null in the list, admits anything at this position.
            if not item or None in item:
                positions.append(None)
            else:
                positions.append(frozenset(field("topics", list_of(hash32), item)))
        else:
            positions.append(frozenset((field("topics", hash32, item),)))
    return tuple(positions)


def _slots(value: Any) -> dict[int, int]:
    slots = {}
    for name, item in raw_object(value).items():
        slot = int.from_bytes(field(name[:66], storage_key, name), "big")
        slots[slot] = int.from_bytes(field(name[:66], hash32, item), "big")
    return slots


# JSON name -> (attribute, parser)
_OVERRIDE_FIELDS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "balance": ("balance", quantity),
    "nonce": ("nonce", quantity64),
    "code": ("code", data),
    "state": ("storage", _slots),
    "stateDiff": ("storage_diff", _slots),
    "movePrecompileToAddress": ("move_precompile_to", address),
}


def state_overrides(value: Any) -> dict[bytes, AccountOverride]:
    """Accounts that are changed for one call."""
    overrides = {}
    for name, fields in raw_object(value).items():
        who = field(name[:50], address, name)
        values: dict[str, Any] = {}
        for key, item in field(name, raw_object, fields).items():
            if key not in _OVERRIDE_FIELDS:
                raise BadValue(f"{name}: unknown field {key[:50]!r}")
            attribute, parse = _OVERRIDE_FIELDS[key]
            if item is not None:
                values[attribute] = field(f"{name}.{key}", parse, item)
        if "storage" in values and "storage_diff" in values:
            raise BadValue(f"{name}: both state and stateDiff given")
        overrides[who] = AccountOverride(**values)
    return overrides


def _withdrawal(value: Any) -> Withdrawal:
    entry = raw_object(value)
    return Withdrawal(
        index=field("index", quantity64, entry.get("index")),
        validator_index=field("validatorIndex", quantity64, entry.get("validatorIndex")),
        address=field("address", address, entry.get("address")),
        amount=field("amount", quantity64, entry.get("amount")),
    )


withdrawals = list_of(_withdrawal, MAX_WITHDRAWALS)

_BLOCK_OVERRIDE_FIELDS: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "number": ("number", quantity64),
    "time": ("timestamp", quantity64),
    "gasLimit": ("gas_limit", quantity64),
    "feeRecipient": ("coinbase", address),
    "difficulty": ("difficulty", quantity),
    "prevRandao": ("prev_randao", hash32),
    "baseFeePerGas": ("base_fee", quantity),
    "blobBaseFee": ("blob_base_fee", quantity),
    "beaconRoot": ("beacon_root", hash32),
    "withdrawals": ("withdrawals", withdrawals),
}


# Other names in use: geth's of old, and those of a block's own JSON.
_BLOCK_OVERRIDE_NAMES: Final = {
    "coinbase": "feeRecipient",
    "miner": "feeRecipient",
    "random": "prevRandao",
    "mixHash": "prevRandao",
    "baseFee": "baseFeePerGas",
    "timestamp": "time",
}


def block_overrides(value: Any) -> BlockOverrides:
    """Fields of the block that a call sees. Unknown ones are a mistake, since they would change nothing."""
    fields: dict[str, Any] = {}
    for name, item in raw_object(value).items():
        name = _BLOCK_OVERRIDE_NAMES.get(name, name)
        if name in fields:
            raise BadValue(f"{name[:50]!r} is there twice")
        fields[name] = item
    unknown = fields.keys() - _BLOCK_OVERRIDE_FIELDS.keys()
    if unknown:
        raise BadValue(f"unknown field {min(unknown)[:50]!r}")
    values = {
        attribute: field(name, parse, fields[name])
        for name, (attribute, parse) in _BLOCK_OVERRIDE_FIELDS.items()
        if fields.get(name) is not None
    }
    return BlockOverrides(**values)
