"""An ABI written down in the comments of a source, one line an item.

    abi: constructor(address owner)
    abi: function balanceOf(address owner) view returns (uint256)
    abi: event Transfer(address indexed from, address indexed to, uint256 value)
    abi: error TooLittle(uint256 there), fallback() payable, receive() payable

`ewasm build` writes them as JSON, as Solidity's compiler does. Types are spelled as in signatures; tuples are not read.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["AbiTextError", "abi_json", "abi_lines", "parse_item"]

LINE = re.compile(r"^[\s/*;!#]*abi:\s*(\S.*?)\s*(?:\*/)?\s*$", re.MULTILINE)
ITEM = re.compile(
    r"(?P<kind>constructor|function|event|error|fallback|receive)\s*(?P<name>[A-Za-z_$][\w$]*)?\s*"
    r"\((?P<inputs>[^()]*)\)\s*(?P<words>[a-z\s]*?)\s*(?:returns\s*\((?P<outputs>[^()]*)\))?"
)
TYPE = re.compile(r"(u?int(\d+)?|address|bool|bytes(\d+)?|string)((\[\d*\])*)")
MUTABILITY = ("view", "pure", "payable", "nonpayable")
NAMED = ("function", "event", "error")


class AbiTextError(Exception):
    """A line that is no item of an ABI; says which and why."""


def abi_lines(source: str) -> list[str]:
    """The items in a source's comments, as they stand there."""
    return LINE.findall(source)


def _type(text: str, line: str) -> str:
    found = TYPE.fullmatch(text)
    bits, size = (int(found[n]) if found and found[n] else 0 for n in (2, 3))
    if found is None or bits % 8 or bits > 256 or size > 32:
        raise AbiTextError(f"abi: {line}: {text} is no type")
    return re.sub(r"^(u?int)(?=\[|$)", r"\g<1>256", text)


def _parameters(text: str, line: str, indexed: bool) -> list[dict[str, Any]]:
    found = []
    for part in (part.split() for part in text.split(",") if text.strip()):
        if not part:
            raise AbiTextError(f"abi: {line}: a parameter is missing")
        is_indexed = indexed and len(part) > 1 and part[1] == "indexed"
        names = part[2 if is_indexed else 1 :]
        if len(names) > 1 or not all(re.fullmatch(r"[A-Za-z_$][\w$]*", name) for name in names):
            raise AbiTextError(f"abi: {line}: {' '.join(part)} is no parameter")
        item: dict[str, Any] = {"name": names[0] if names else "", "type": _type(part[0], line)}
        if indexed:
            item["indexed"] = is_indexed
        found.append(item)
    return found


def parse_item(line: str) -> dict[str, Any]:
    """One line as an item of JSON.

    Raises:
        AbiTextError: It is none.
    """
    found = ITEM.fullmatch(line)
    if found is None:
        raise AbiTextError(f"abi: {line}: not constructor, function, event, error, fallback or receive")
    kind, name, words = found["kind"], found["name"], found["words"].split()
    if (name is not None) is not (kind in NAMED):
        raise AbiTextError(f"abi: {line}: a name is {'missing' if kind in NAMED else 'too much'}")
    if [word for word in words if word not in MUTABILITY] or len(words) > 1 or (words and kind in ("event", "error")):
        raise AbiTextError(f"abi: {line}: {' '.join(words)} cannot stand there")
    item: dict[str, Any] = {"type": kind}
    if name is not None:
        item["name"] = name
    if kind not in ("fallback", "receive"):
        item["inputs"] = _parameters(found["inputs"], line, kind == "event")
    elif found["inputs"].strip():
        raise AbiTextError(f"abi: {line}: {kind} takes nothing")
    if kind == "function":
        item["outputs"] = _parameters(found["outputs"] or "", line, False)
    elif found["outputs"] is not None:
        raise AbiTextError(f"abi: {line}: {kind} returns nothing")
    if kind == "event":
        item["anonymous"] = False
    elif kind != "error":
        item["stateMutability"] = words[0] if words else "payable" if kind == "receive" else "nonpayable"
    return item


def abi_json(items: list[dict[str, Any]]) -> str:
    """The text of a .json: one item a line."""
    return "[\n" + ",\n".join(f"  {json.dumps(item)}" for item in items) + "\n]\n"
