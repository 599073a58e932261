"""Function signatures and values as people type them, to and from the Solidity ABI.

A signature is `name(types)` or `name(types)(types)`, the second list being what comes back. Values: numbers in decimal
or 0x, `true` and `false`, 0x-hexadecimal for bytes and addresses, strings as they are, arrays and tuples as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from ewasm.cli.files import read_bytes
from ewasm.cli.output import Failure

__all__ = [
    "Signature",
    "constructor_names",
    "constructor_types",
    "decode_values",
    "encode_values",
    "find_signature",
    "parse_signature",
    "plain_value",
    "read_abi",
    "read_artifact_code",
]


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed signature; types are canonical (`uint256`, not `uint`)."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """`name(types)`."""
        return f"{self.name}({','.join(self.inputs)})"

    @property
    def selector(self) -> bytes:
        """First four bytes of the hash of `name(types)`."""
        from eth_utils.crypto import keccak

        return keccak(text=self.key)[:4]


def _closing(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return -1


def _split(text: str) -> tuple[str, ...]:
    parts, depth, current = [], 0, ""
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += character
    return tuple(_canonical(part) for part in [*parts, current]) if text.strip() else ()


def _canonical(text: str) -> str:
    """One type without a name: `uint amount` -> `uint256`."""
    from eth_abi.exceptions import ABITypeError, ParseError
    from eth_abi.grammar import normalize, parse

    written = text.strip()
    if not written.startswith("("):
        written = written.split(" ")[0]
    name = str(normalize(written))  # type: ignore[no-untyped-call]
    try:
        parse(name).validate()
    except (ABITypeError, ParseError):
        raise click.BadParameter(f'"{text.strip()}" is not a type of the ABI', param_hint="SIGNATURE") from None
    return name


def parse_signature(text: str) -> Signature:
    """`transfer(address,uint256)(bool)` -> Signature; a usage error for anything else."""
    start = text.find("(")
    name = text[:start].strip().removeprefix("function ").strip() if start > 0 else ""
    middle = _closing(text, start) if start > 0 else -1
    rest = text[middle + 1 :].strip().removeprefix("returns").strip()
    if not name.isidentifier() or middle < 0 or (rest and (rest[0] != "(" or _closing(rest, 0) != len(rest) - 1)):
        raise click.BadParameter(
            f'"{text}" is not a signature such as balanceOf(address)(uint256)', param_hint="SIGNATURE"
        )
    return Signature(name, _split(text[start + 1 : middle]), _split(rest[1:-1]))


def _value(kind: str, given: Any) -> Any:
    """One value of ABI type `kind` from what the user typed (a string, or JSON inside an array or a tuple)."""
    from eth_abi.grammar import TupleType, parse

    parsed = parse(kind)
    if parsed.is_array or isinstance(parsed, TupleType):
        items = json.loads(given) if isinstance(given, str) else given
        if not isinstance(items, list):
            raise ValueError("a JSON list is needed")
        if parsed.is_array:
            return [_value(parsed.item_type.to_type_str(), item) for item in items]
        kinds = [component.to_type_str() for component in parsed.components]
        if len(kinds) != len(items):
            raise ValueError(f"{len(kinds)} components are needed")
        return tuple(_value(k, item) for k, item in zip(kinds, items, strict=True))
    if kind.startswith(("uint", "int")):
        if isinstance(given, bool) or not isinstance(given, (int, str)):
            raise ValueError("a number is needed")
        return given if isinstance(given, int) else int(given, 0)
    if kind == "bool":
        words = {"true": True, "1": True, "false": False, "0": False}
        if str(given).lower() not in words:
            raise ValueError("true or false is needed")
        return words[str(given).lower()]
    if kind == "string":
        return str(given)
    if not isinstance(given, str):
        raise ValueError("0x-hexadecimal is needed")
    data = bytes.fromhex(given.removeprefix("0x"))
    if kind == "address":
        if len(data) != 20:
            raise ValueError("an address has 20 bytes")
        return given if given.startswith("0x") else "0x" + given
    size = kind.removeprefix("bytes")
    if size and len(data) != int(size):
        raise ValueError(f"{size} bytes are needed")
    return data


def encode_values(kinds: Sequence[str], given: Sequence[str], what: str = "ARGS", names: Sequence[str] = ()) -> bytes:
    """ABI encoding of what the user typed; usage errors name the argument, by `names` where there are some."""
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    labels = [f"{kind} {name}".strip() for kind, name in zip(kinds, [*names, *[""] * len(kinds)], strict=False)]
    if len(kinds) != len(given):
        raise click.BadParameter(f"{len(kinds)} wanted ({', '.join(labels)}), {len(given)} given", param_hint=what)
    values = []
    for position, (kind, text) in enumerate(zip(kinds, given, strict=True)):
        place = f"{names[position]}: " if position < len(names) and names[position] else ""
        try:
            value = _value(kind, text)
            encode([kind], [value])
        except (EncodingError, OverflowError) as error:
            raise click.BadParameter(f"{place}{text!r} is no {kind}: {error}", param_hint=what) from None
        except ValueError as error:
            reason = f"{error}" if "invalid literal" not in str(error) else "a number is needed"
            raise click.BadParameter(f"{place}{text!r} is no {kind}: {reason}", param_hint=what) from None
        values.append(value)
    return encode(kinds, values)


def plain_value(value: Any) -> Any:
    """Decoded values for JSON and print: numbers as decimal strings, since many readers of JSON stop at 2^53."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [plain_value(item) for item in value]
    return "0x" + bytes(value).hex()


def decode_values(kinds: Sequence[str], data: bytes) -> list[Any]:
    """What a call returned; addresses with checksum."""
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError
    from eth_utils.address import to_checksum_address

    try:
        values = decode(kinds, data)
    except DecodingError as error:
        raise Failure(f"the answer 0x{data.hex()} is not ({','.join(kinds)}): {error}") from None
    return [
        to_checksum_address(value) if kind == "address" else plain_value(value)
        for kind, value in zip(kinds, values, strict=True)
    ]


def _read_json(file: Path) -> Any:
    try:
        return json.loads(read_bytes(file))
    except ValueError as error:
        raise Failure(f"{file}: no JSON: {error}") from None


def read_abi(file: Path) -> list[dict[str, Any]]:
    """The list of a JSON ABI, also where a compiler put it under `abi`."""
    abi = _read_json(file)
    if isinstance(abi, dict):
        abi = abi.get("abi")
    if not isinstance(abi, list) or not all(isinstance(item, dict) for item in abi):
        raise Failure(f"{file}: no ABI: a list of functions and events is needed")
    return abi


def read_artifact_code(file: Path) -> bytes:
    """Init code in a compiler's JSON: `bytecode` (Hardhat, Vyper), `bytecode.object` (Foundry), `evm.bytecode.object`
    (solc, Vyper)."""
    document = _read_json(file)
    found = document if isinstance(document, dict) else {}
    code = found.get("bytecode") or found.get("evm")
    for name in ("bytecode", "object"):
        if isinstance(code, dict):
            code = code.get(name, code.get("object"))
    if not isinstance(code, str) or not code:
        raise Failure(f"{file}: no bytecode: a compiler's JSON with the member bytecode is needed (or a .wasm, a .bin)")
    if "__" in code:
        raise Failure(f"{file}: the bytecode has libraries that are not linked: {code[code.index('__') :][:40]}")
    try:
        return bytes.fromhex(code.removeprefix("0x"))
    except ValueError:
        raise Failure(f"{file}: the bytecode is not hexadecimal") from None


def _type_of(parameter: dict[str, Any]) -> str:
    kind = str(parameter.get("type", ""))
    if kind.startswith("tuple"):
        return f"({','.join(_type_of(part) for part in parameter.get('components', []))}){kind[5:]}"
    return kind


def find_signature(text: str, abi: Path | None, count: int) -> Signature:
    """A signature as typed, or a function's name looked up in an ABI.

    An ABI also tells names and outputs where the signature has none.

    Args:
        text: What the user typed.
        abi: File.
        count: Arguments given, to choose between functions of one name.

    Raises:
        click.BadParameter: Neither; of a name, with those that the ABI has.
    """
    functions = [] if abi is None else [item for item in read_abi(abi) if item.get("type", "function") == "function"]
    if "(" in text:
        typed = parse_signature(text)
        known = next((sig for sig in map(_signature_of, functions) if sig.key == typed.key), None)
        return typed if known is None else replace(known, outputs=typed.outputs or known.outputs)
    if abi is None:
        raise click.BadParameter(
            f'"{text}" is not a signature such as balanceOf(address)(uint256); a name alone needs --abi',
            param_hint="SIGNATURE",
        )
    named = [_signature_of(item) for item in functions if item.get("name") == text]
    found = [signature for signature in named if len(signature.inputs) == count] or named
    if len(found) == 1:
        return found[0]
    if found:
        why = f"several functions {text}, say which: {', '.join(signature.key for signature in found)}"
    else:
        names = ", ".join(sorted({str(item.get("name")) for item in functions})) or "none"
        why = f"no function {text}; there are: {names}"
    raise click.BadParameter(f"{abi}: {why}", param_hint="SIGNATURE")


def _signature_of(function: dict[str, Any]) -> Signature:
    inputs, outputs = function.get("inputs", []), function.get("outputs", [])
    return Signature(
        str(function.get("name", "")),
        tuple(_type_of(parameter) for parameter in inputs),
        tuple(_type_of(parameter) for parameter in outputs),
        tuple(str(parameter.get("name", "")) for parameter in inputs),
    )


def constructor_names(abi: list[dict[str, Any]]) -> list[str]:
    """Names of what the constructor takes."""
    for item in abi:
        if item.get("type") == "constructor":
            return [str(parameter.get("name", "")) for parameter in item.get("inputs", [])]
    return []


def constructor_types(abi: list[dict[str, Any]]) -> list[str]:
    """Types that the constructor takes; empty where there is none."""
    for item in abi:
        if item.get("type") == "constructor":
            return [_type_of(parameter) for parameter in item.get("inputs", [])]
    return []
