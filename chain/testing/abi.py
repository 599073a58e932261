"""An ABI as a lookup table: functions, events and errors by name, selector and topic (Solidity ABI specification).

Values are eth-abi's: ints, bytes, str, bool, tuples; addresses come out with checksum and go in as text, bytes or
anything with an `address`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chain.accounts import checksum_address
from chain.crypto import keccak
from chain.reverts import revert_reason

__all__ = ["Abi", "AbiError", "DecodedError", "Event", "Item", "explain_revert", "type_of"]


class AbiError(ValueError):
    """An ABI has no such thing, or the values do not fit; the text names which."""


def type_of(parameter: Mapping[str, Any]) -> str:
    """Canonical type of a parameter: tuples with their components."""
    kind = str(parameter.get("type", ""))
    if kind.startswith("tuple"):
        return f"({','.join(type_of(part) for part in parameter.get('components', []))}){kind[5:]}"
    return kind


@dataclass(frozen=True, slots=True)
class Item:
    """A function, an event, an error or the constructor."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    names: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    indexed: tuple[bool, ...] = ()
    mutability: str = "nonpayable"
    anonymous: bool = False

    @property
    def signature(self) -> str:
        return f"{self.name}({','.join(self.inputs)})"

    @property
    def digest(self) -> bytes:
        """32 bytes: the topic of an event; its first four are the selector of a function or an error."""
        return keccak(self.signature.encode())

    @property
    def is_view(self) -> bool:
        return self.mutability in ("view", "pure")

    def encode(self, values: Sequence[Any]) -> bytes:
        """The arguments, without a selector.

        Raises:
            AbiError: Too few, too many, or one that its type cannot hold; it is named.
        """
        from eth_abi.abi import encode
        from eth_abi.exceptions import EncodingError

        if len(values) != len(self.inputs):
            raise AbiError(f"{self.signature} takes {len(self.inputs)} arguments, {len(values)} given")
        plain = [_inward(kind, value) for kind, value in zip(self.inputs, values, strict=True)]
        for position, (kind, value) in enumerate(zip(self.inputs, plain, strict=True)):
            try:
                encode([kind], [value])
            except (EncodingError, OverflowError, TypeError, ValueError) as error:
                name = self.names[position] or f"{position + 1}"
                raise AbiError(f"{self.signature}: argument {name}: {value!r} is no {kind}: {error}") from None
        return encode(self.inputs, plain)

    def decode_output(self, data: bytes) -> Any:
        """None, one value, or a tuple of them.

        Raises:
            AbiError: The bytes are not what the ABI says.
        """
        values = _decode(self.outputs, data, self.signature)
        return None if not values else values[0] if len(values) == 1 else values


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded log; indexed values of dynamic types stay hashes. `event["to"]` or `event.args["to"]`."""

    name: str
    args: dict[str, Any]
    address: str

    def __getitem__(self, name: str) -> Any:
        return self.args[name]


@dataclass(frozen=True, slots=True)
class DecodedError:
    """A custom error of a contract's ABI."""

    name: str
    args: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.args.items())})"


@dataclass(frozen=True, slots=True)
class Abi:
    """Parsed JSON ABI; see `Abi.parse`."""

    items: tuple[Item, ...]
    raw: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, raw: Sequence[Mapping[str, Any]]) -> Abi:
        """From the list in a JSON ABI."""
        return cls(tuple(_item(entry) for entry in raw), tuple(raw))

    @property
    def constructor(self) -> Item:
        """The constructor; one that takes nothing where the ABI has none."""
        return next((item for item in self.items if item.kind == "constructor"), Item("constructor", "", (), ()))

    @property
    def functions(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind == "function")

    @property
    def events(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind == "event")

    @property
    def errors(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind == "error")

    def function(self, name: str, count: int | None = None) -> Item:
        """A function by name, by full signature, or of several with one name by its number of arguments.

        Raises:
            AbiError: There is none, or more than one.
        """
        found = [item for item in self.functions if name in (item.name, item.signature)]
        if len(found) > 1 and count is not None:
            found = [item for item in found if len(item.inputs) == count] or found
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(item.signature for item in found)
            raise AbiError(f"more than one function {name}: say which of {choices}")
        names = ", ".join(sorted({item.name for item in self.functions})) or "none"
        raise AbiError(f"no function {name} in the ABI; there are: {names}")

    def decode_log(self, address: bytes, topics: Sequence[bytes], data: bytes) -> Event | None:
        """The event behind a log, or None if the ABI does not know it."""
        for item in self.events:
            count = sum(item.indexed) + (not item.anonymous)
            if item.anonymous or not topics or topics[0] != item.digest or len(topics) != count:
                continue
            try:
                return Event(item.name, _decode_event(item, topics[1:], data), checksum_address(address))
            except AbiError:
                continue
        return None

    def decode_error(self, data: bytes) -> DecodedError | None:
        """The custom error in revert data, or None if the ABI does not know it."""
        for item in self.errors:
            if data[:4] == item.digest[:4]:
                try:
                    values = _decode(item.inputs, data[4:], item.signature)
                except AbiError:
                    continue
                return DecodedError(item.name, _named(item, values))
        return None


def explain_revert(data: bytes, abi: Abi | None = None) -> str | None:
    """Revert data in words: reason, panic, custom error of the ABI, or hexadecimal; None where there are no data."""
    if not data:
        return None
    reason = revert_reason(data)
    if reason is not None:
        return reason
    custom = abi.decode_error(data) if abi is not None else None
    return str(custom) if custom is not None else "0x" + data.hex()


def _item(entry: Mapping[str, Any]) -> Item:
    inputs = list(entry.get("inputs", []))
    return Item(
        kind=str(entry.get("type", "function")),
        name=str(entry.get("name", "")),
        inputs=tuple(type_of(parameter) for parameter in inputs),
        names=tuple(str(parameter.get("name", "")) for parameter in inputs),
        outputs=tuple(type_of(parameter) for parameter in entry.get("outputs", [])),
        indexed=tuple(bool(parameter.get("indexed")) for parameter in inputs),
        mutability=str(entry.get("stateMutability", "nonpayable")),
        anonymous=bool(entry.get("anonymous")),
    )


def _named(item: Item, values: Sequence[Any]) -> dict[str, Any]:
    return {name or str(position): value for position, (name, value) in enumerate(zip(item.names, values, strict=True))}


def _decode_event(item: Item, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
    plain = _decode(
        [kind for kind, indexed in zip(item.inputs, item.indexed, strict=True) if not indexed], data, item.signature
    )
    rest, indexed_topics = iter(plain), iter(topics)
    values = []
    for kind, indexed in zip(item.inputs, item.indexed, strict=True):
        if not indexed:
            values.append(next(rest))
        elif kind in ("string", "bytes") or kind.endswith((")", "]")):
            values.append(next(indexed_topics))
        else:
            values.append(_decode([kind], next(indexed_topics), item.signature)[0])
    return _named(item, values)


def _decode(kinds: Sequence[str], data: bytes, what: str) -> tuple[Any, ...]:
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        values = decode(list(kinds), data)
    except (DecodingError, UnicodeDecodeError, OverflowError) as error:
        raise AbiError(f"{what}: 0x{data.hex()} is not ({','.join(kinds)}): {error}") from None
    return tuple(_outward(kind, value) for kind, value in zip(kinds, values, strict=True))


def _parts(kind: str) -> tuple[str, ...] | None:
    """Component types of a tuple, or None."""
    from eth_abi.grammar import TupleType, parse

    parsed = parse(kind)
    if isinstance(parsed, TupleType) and not parsed.is_array:
        return tuple(component.to_type_str() for component in parsed.components)
    return None


def _map(kind: str, value: Any, leaf: Any) -> Any:
    if kind.endswith("]") and isinstance(value, (list, tuple)):
        inner = kind[: kind.rindex("[")]
        return tuple(_map(inner, part, leaf) for part in value)
    if kind.startswith("(") and isinstance(value, (list, tuple)):
        parts = _parts(kind) or ()
        if len(parts) != len(value):
            return value
        return tuple(_map(part, item, leaf) for part, item in zip(parts, value, strict=True))
    return leaf(kind, value)


def _inward(kind: str, value: Any) -> Any:
    return _map(kind, value, _leaf_inward)


def _outward(kind: str, value: Any) -> Any:
    return _map(kind, value, lambda k, v: _checksummed(v) if k == "address" else v)


def _checksummed(value: Any) -> str:
    return checksum_address(bytes.fromhex(str(value).removeprefix("0x")))


def _leaf_inward(kind: str, value: Any) -> Any:
    if kind == "address":
        value = getattr(value, "address", value)
        return "0x" + value.hex() if isinstance(value, bytes) else value
    if kind.startswith("bytes") and isinstance(value, str):
        try:
            return bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            return value
    return value
