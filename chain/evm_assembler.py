"""A small EVM assembler for contracts and fixtures, and the init code that deploys its output.

One token after the other, separated by blanks; `;` begins a comment. What a source may hold:

* an instruction by its lower-case name (`sload`, `calldatacopy`, `dup1`);
* `push N` with a decimal or 0x number, in as few bytes as it needs; `push "text"`, 32 bytes, text first, then zeros;
  `push @label`, two bytes;
* `selector "f(type,...)"`: a push of the first four bytes of the signature's hash;
* `label:`, a jump destination; `jump @label` and `jumpi @label` push the label first. Arguments of an instruction are
  pushed in front of it, the last of them first, as the EVM takes them.
"""

from __future__ import annotations

import re

from eth_utils.crypto import keccak

__all__ = ["AssemblyError", "assemble", "init_code"]

# fmt: off
OPCODES = {
    "stop": 0x00, "add": 0x01, "mul": 0x02, "sub": 0x03, "div": 0x04, "sdiv": 0x05, "mod": 0x06, "smod": 0x07,
    "addmod": 0x08, "mulmod": 0x09, "exp": 0x0A, "signextend": 0x0B,
    "lt": 0x10, "gt": 0x11, "slt": 0x12, "sgt": 0x13, "eq": 0x14, "iszero": 0x15, "and": 0x16, "or": 0x17, "xor": 0x18,
    "not": 0x19, "byte": 0x1A, "shl": 0x1B, "shr": 0x1C, "sar": 0x1D, "keccak256": 0x20,
    "address": 0x30, "balance": 0x31, "origin": 0x32, "caller": 0x33, "callvalue": 0x34, "calldataload": 0x35,
    "calldatasize": 0x36, "calldatacopy": 0x37, "codesize": 0x38, "codecopy": 0x39, "gasprice": 0x3A,
    "extcodesize": 0x3B, "extcodecopy": 0x3C, "returndatasize": 0x3D, "returndatacopy": 0x3E, "extcodehash": 0x3F,
    "blockhash": 0x40, "coinbase": 0x41, "timestamp": 0x42, "number": 0x43, "prevrandao": 0x44, "gaslimit": 0x45,
    "chainid": 0x46, "selfbalance": 0x47, "basefee": 0x48, "blobhash": 0x49, "blobbasefee": 0x4A,
    "pop": 0x50, "mload": 0x51, "mstore": 0x52, "mstore8": 0x53, "sload": 0x54, "sstore": 0x55, "jump": 0x56,
    "jumpi": 0x57, "pc": 0x58, "msize": 0x59, "gas": 0x5A, "tload": 0x5C, "tstore": 0x5D, "mcopy": 0x5E, "push0": 0x5F,
    **{f"dup{n}": 0x7F + n for n in range(1, 17)}, **{f"swap{n}": 0x8F + n for n in range(1, 17)},
    **{f"log{n}": 0xA0 + n for n in range(5)},
    "create": 0xF0, "call": 0xF1, "callcode": 0xF2, "return": 0xF3, "delegatecall": 0xF4, "create2": 0xF5,
    "staticcall": 0xFA, "revert": 0xFD, "invalid": 0xFE, "selfdestruct": 0xFF,
}
# fmt: on
JUMPDEST = 0x5B
PUSH1 = 0x60
PUSH2 = 0x61

TOKEN = re.compile(r';[^\n]*|"[^"\n]*"|[^\s;"]+')


class AssemblyError(ValueError):
    """The source is not what the module's docstring describes; says which line."""


def _push(value: bytes) -> bytes:
    return bytes([PUSH1 + len(value) - 1]) + value


def _push_number(number: int) -> bytes:
    return _push(number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big"))


def assemble(source: str) -> bytes:
    """EVM code of `source`.

    Raises:
        AssemblyError: On an unknown word, a missing operand, a label defined twice or never.
    """
    tokens = [
        (source.count("\n", 0, match.start()) + 1, match.group())
        for match in TOKEN.finditer(source)
        if not match.group().startswith(";")
    ]
    code = bytearray()
    labels: dict[str, int] = {}
    uses: list[tuple[int, int, str]] = []

    def push_label(line: int, label: str) -> None:
        uses.append((len(code) + 1, line, label))
        code.extend([PUSH2, 0, 0])

    position = 0
    while position < len(tokens):
        line, word = tokens[position]
        operand = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        position += 1
        if word.endswith(":"):
            if word[:-1] in labels:
                raise AssemblyError(f"line {line}: label {word[:-1]} is defined twice")
            labels[word[:-1]] = len(code)
            code.append(JUMPDEST)
        elif word in ("push", "selector"):
            position += 1
            if word == "selector" and operand.startswith('"'):
                code += _push(keccak(text=operand.strip('"'))[:4])
            elif word == "selector":
                raise AssemblyError(f'line {line}: selector needs a signature in quotes, not "{operand}"')
            elif operand.startswith("@"):
                push_label(line, operand[1:])
            elif operand.startswith('"'):
                code += _push(operand.strip('"').encode().ljust(32, b"\0"))
            else:
                try:
                    code += _push_number(int(operand, 0))
                except ValueError:
                    raise AssemblyError(f'line {line}: push needs a number, "text" or @label: {operand}') from None
        elif word in OPCODES:
            if word in ("jump", "jumpi") and operand.startswith("@"):
                position += 1
                push_label(line, operand[1:])
            code.append(OPCODES[word])
        else:
            raise AssemblyError(f'line {line}: unknown word "{word}"')
    for at, line, label in uses:
        if label not in labels:
            raise AssemblyError(f"line {line}: label {label} is not defined")
        code[at : at + 2] = labels[label].to_bytes(2, "big")
    return bytes(code)


def init_code(runtime: bytes) -> bytes:
    """Code that returns `runtime`: copy what follows these 10 bytes to memory and return it."""
    size = len(runtime).to_bytes(2, "big")
    #       PUSH2 size    DUP1  PUSH1 10    PUSH0  CODECOPY  PUSH0 RETURN
    start = b"\x61" + size + b"\x80\x60\x0a\x5f\x39\x5f\xf3"
    return start + runtime
