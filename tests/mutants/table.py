"""Mistakes to make in the VM, one at a time: a file, a text that stands in it once, and what to write there instead.

Each is one that a careful author could make, and each changes a result. Most sit where one engine passes and another
does not, so that a comparison can see them. Those of the last group are in what the engines share: only what was
recorded before knows better.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["MUTANTS", "REPOSITORY", "Mutant"]

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake.

    Attributes:
        name: What is wrong.
        file: Below the repository.
        old: Stands there exactly once.
        new: Takes its place.
        shared: Whether all engines make it, so that golden observations are asked instead of the campaign.
    """

    name: str
    file: str
    old: str
    new: str
    shared: bool = False

    def applied(self, text: str) -> str:
        """
        Raises:
            ValueError: The text to replace is not there once; the table is behind the code.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.file} has {text.count(self.old)} times {self.old!r}, must be once")
        return text.replace(self.old, self.new)


_INJECT = "ewasm/metering/inject.py"
_BLOCKS = "ewasm/metering/blocks.py"
_HEIGHT = "ewasm/metering/stack_height.py"
_RUN = "ewasm/engine/interpreter.py"
_DECODED = "ewasm/engine/predecode.py"
_NUMERICS = "ewasm/wasm/numerics.py"
_FRAME = "ewasm/eei/frame.py"
_LINK = "ewasm/prelude/link.py"
_INSTANCE = "ewasm/engine/instance.py"

MUTANTS = (
    # -- injected metering
    Mutant(
        "a wrong price of one opcode",
        _INJECT,
        "self.prices = opcode_prices(schedule)",
        "self.prices = {**opcode_prices(schedule), op.I64_ADD: opcode_prices(schedule)[op.I64_ADD] + 1}",
    ),
    Mutant("the blocks behind else are not charged", _BLOCKS, "op.IF, op.ELSE, op.BR_IF):", "op.IF, op.BR_IF):"),
    Mutant(
        "the charge of a block is lost behind a call",
        _INJECT,
        "if particles:\n            out += [(op.I64_CONST, particles), (op.I64_SUB,)]\n        if check:",
        "if particles and reload is None:\n            out += [(op.I64_CONST, particles), (op.I64_SUB,)]\n"
        "        if check:",
    ),
    Mutant("loop heads do not look at the counter", _BLOCKS, "checks.add(index + 1)", "pass"),
    Mutant(
        "function entries do not look at the counter",
        _INJECT,
        "out.append((op.LOCAL_TEE, self.gas))\n            self._stop_if_negative()\n        if self.height:",
        "out.append((op.LOCAL_SET, self.gas))\n        if self.height:",
    ),
    Mutant("memory.grow costs no pages", _INJECT, '    op.MEMORY_GROW: "page_grown",\n', ""),
    Mutant("table.grow costs no entries", _INJECT, '    op.TABLE_GROW: "entry_moved",\n', ""),
    Mutant("what follows memory.grow is charged before it", _BLOCKS, "op.CALL_INDIRECT, op.MEMORY_GROW", "op.CALL_INDIRECT"),
    Mutant("what follows an indirect call is charged before it", _BLOCKS, "{op.CALL, op.CALL_INDIRECT, ", "{op.CALL, "),
    Mutant("declared locals are free", _BLOCKS, "local_count * schedule.local", "0"),
    Mutant("the labels of br_table are free", _BLOCKS, "price += schedule.branch_target * len(instruction[1])", "pass"),
    Mutant("a join is not the start of a block", _BLOCKS, "if joins or not reached:", "if not reached:"),
    Mutant("an extended count is taken with its sign", _INJECT, "(op.I64_EXTEND_I32_U,), (op.I64_CONST, unit_price)", "(op.I64_EXTEND_I32_S,), (op.I64_CONST, unit_price)"),
    Mutant(
        "the default label of br_table is not moved",
        _INJECT,
        "self._label(instruction[2])))",
        "instruction[2]))",
    ),
    Mutant("the stack height is not given back", _INJECT, "(op.I32_CONST, self.height), (op.I32_ADD,)", "(op.I32_CONST, 0), (op.I32_ADD,)"),
    Mutant("an indirect tail call keeps its caller's height", _INJECT, "self._give_height_back()\n            self._call_indirect", "self._call_indirect"),
    # -- the interpreter
    Mutant("a shift count has a bit too many", _NUMERICS, "(a << (b & 31)) & MASK32", "(a << (b & 63)) & MASK32"),
    Mutant("division rounds down", _NUMERICS, "return -quotient if (dividend < 0) != (divisor < 0) else quotient", "return dividend // divisor"),
    Mutant("the remainder takes the divisor's sign", _NUMERICS, "return -remainder if dividend < 0 else remainder", "return dividend % divisor"),
    Mutant("i64.lt_s compares without sign", _NUMERICS, "int(signed64(a) < signed64(b))", "int(a < b)"),
    Mutant("i64.shr_s shifts zeros in", _NUMERICS, "return (signed64(a) >> (b & 63)) & MASK64", "return a >> (b & 63)"),
    Mutant("i64.extend_i32_s keeps the sign away", _NUMERICS, "def i64_extend_i32_s(a: int) -> int:\n    return signed32(a) & MASK64", "def i64_extend_i32_s(a: int) -> int:\n    return a"),
    Mutant("the most negative number may be divided by -1", _NUMERICS, "    if a == SIGN64 and b == MASK64:\n        raise Trap(\"integer overflow\")\n", ""),
    Mutant("i64.mul_wide_s forgets the sign", _NUMERICS, "signed64(a) * signed64(b)) & MASK128", "a * b) & MASK128"),
    Mutant("a load may not end with the memory", _RUN, "                    if end > len(memory):\n                        raise Trap(\"out of bounds memory access\")\n                    value = from_bytes", "                    if end >= len(memory):\n                        raise Trap(\"out of bounds memory access\")\n                    value = from_bytes"),
    Mutant("a store may pass the memory's end", _RUN, "                    if end > len(memory):\n                        raise Trap(\"out of bounds memory access\")\n                    memory[address:end]", "                    memory[address:end]"),
    Mutant("i32.load16_s extends from the wrong bit", _DECODED, "op.I32_LOAD16_S: (2, 16, 32)", "op.I32_LOAD16_S: (2, 15, 32)"),
    Mutant("br_table takes the last label for the default", _RUN, "a[min(pop(), b)]", "a[min(pop(), max(b - 1, 0))]"),
    Mutant("br_if leaves operands below the label", _RUN, "pc = a\n                        if len(stack) - b > base + c:\n                            _unwind(stack, b, base + c)", "pc = a"),
    Mutant("select takes the other operand", _RUN, "if not condition:\n                        stack[-1] = second", "if condition:\n                        stack[-1] = second"),
    Mutant("memory.init goes past its segment", _RUN, "if source + count > len(data):", "if source > len(data):"),
    Mutant("an indirect call does not compare types", _RUN, "if function.type != wanted:", "if False:"),
    Mutant("table.copy copies into the wrong table entry", _RUN, "instance.tables[a].elements[target : target + count] = instance.tables[b]", "instance.tables[a].elements[target + 1 : target + 1 + count] = instance.tables[b]"),
    # -- host functions: the prelude, and the way to the host
    Mutant("256-bit products lose a carry", "ewasm/prelude/bignum.wat", "  (i64.mul_wide_u (local.get $a2) (local.get $b0))\n  (i64.add128 (local.get $r2) (i64.const 0))", "  (i64.mul_wide_u (local.get $a2) (local.get $b0))\n  (i64.add128 (local.get $r2) (i64.const 1))"),
    Mutant("sar256 shifts zeros in", "ewasm/prelude/bignum.wat", "(i64.shr_s (i64.load offset=24 (local.get $b)) (i64.const 63))", "(i64.const 0)"),
    Mutant("a price by the word rounds down", _LINK, "(op.I64_CONST, 31), (op.I64_ADD,), (op.I64_CONST, 5)", "(op.I64_CONST, 0), (op.I64_ADD,), (op.I64_CONST, 5)"),
    Mutant("getGasLeft rounds up", _LINK, "out += [(op.LOCAL_GET, gas), (op.I64_CONST, PARTICLES_PER_GAS), (op.I64_DIV_S,)]", "out += [(op.LOCAL_GET, gas), (op.I64_CONST, 9_999), (op.I64_ADD,), (op.I64_CONST, PARTICLES_PER_GAS), (op.I64_DIV_S,)]"),
    Mutant("call data may be copied from beyond its end", "ewasm/prelude/context.wat", "(call $copy (global.get $call_data)", "(call $copy (global.get $code)"),
    Mutant("what was returned is not kept for the prelude", _INSTANCE, '_KEEP_RETURN_DATA if row.topic == "calls" else ""', '""'),
    Mutant("static frames may write", _INSTANCE, '_STATIC_CHECK if row.mutates else ""', '""'),
    Mutant("an overdrawn frame may call the host", _INSTANCE, "elif particles < 0:\n            raise OutOfGas", "elif False:\n            raise OutOfGas"),
    Mutant("an overdrawn frame succeeds", _INSTANCE, "        if frame.particles < 0:\n            raise OutOfGas\n\n    def close", "\n    def close"),
    Mutant("memory grows beyond what a transaction may hold", _INSTANCE, "if frame.page_ceiling < frame.rules.limits.memory_pages:", "if False:"),
    # -- what the engines share
    Mutant("unused gas of a callee is given back twice", _FRAME, "self.particles -= particles\n        self.eei_particles += particles\n        return result", "self.particles -= particles - self.host.call_gas\n        self.eei_particles += particles\n        return result", shared=True),
    Mutant("a charge by the word rounds down", _FRAME, "((size_bytes + 31) // 32)", "(size_bytes // 32)", shared=True),
    Mutant("an address has 19 bytes", _FRAME, "self.memory.read(offset, 20)", 'self.memory.read(offset, 19) + b"\\0"', shared=True),
    Mutant("numbers are read big-endian", _FRAME, 'int.from_bytes(self.memory.read(offset, 16), "little")', 'int.from_bytes(self.memory.read(offset, 16), "big")', shared=True),
    Mutant("a callee may be given a negative amount of gas", "ewasm/eei/calls.py", "if gas & _SIGN_I64:", "if False:", shared=True),
    Mutant("initial pages are free", "ewasm/vm.py", "schedule.initial_page * contract.initial_pages", "0 * contract.initial_pages", shared=True),
    Mutant("a creation does not pay for activation", "ewasm/vm.py", "particles += self.rules.activation_gas(frame.code) * PARTICLES_PER_GAS", "pass", shared=True),
)  # fmt: skip
