"""Every error the VM raises on purpose.

```
EwasmError
├── ModuleError              the bytes are refused; raised before anything runs
│   ├── MalformedModule      decode: not the binary format (assert_malformed)
│   ├── InvalidModule        validate: breaks a typing rule (assert_invalid)
│   ├── ForbiddenModule      gate: valid WebAssembly, but outside the contract interface
│   └── LinkError            instantiate: an import is missing or has another type (assert_unlinkable)
├── ExceptionalHalt          a frame fails, all of its gas is gone
│   ├── OutOfGas
│   ├── Trap                 a trap of the core specification
│   ├── StackExhausted       the static stack-height limit
│   ├── MemoryExhausted      live frames would hold more than `Limits.live_pages`
│   ├── MemoryAccess         a host function was given a range outside memory
│   ├── StaticViolation      a state change inside a static call
│   ├── ArgumentOutOfRange   a host function was given a value it cannot take
│   └── ContractValidationFailure   the gate refused init code or what it returned
└── FrameEnd                 a frame ends early, on purpose
    ├── Finish               `finish`, `selfDestruct`
    └── Revert               `revert`: state undone, the gas left is kept
```

Consensus sees success, revert or failure only; the status words of `ewasm.message.Status` are for people and traces.
Anything else that escapes an engine is a fault of ours and is never turned into a result.
"""

from __future__ import annotations

from typing import ClassVar

from ewasm.message import Status

__all__ = [
    "ArgumentOutOfRange",
    "ContractValidationFailure",
    "EwasmError",
    "ExceptionalHalt",
    "Finish",
    "ForbiddenModule",
    "FrameEnd",
    "InvalidModule",
    "LinkError",
    "MalformedModule",
    "MemoryAccess",
    "MemoryExhausted",
    "ModuleError",
    "OutOfGas",
    "Revert",
    "StackExhausted",
    "StaticViolation",
    "Trap",
]


class EwasmError(Exception):
    """Base of everything in this module."""


class ModuleError(EwasmError):
    """Module bytes are refused.

    Args:
        reason: What is wrong, in the words of the core specification where it has some.
        offset: Byte offset from the start of the module, or None where no single byte is to blame.
        section: Name of the section ("code", "import", ...), or None.
        function: Index (and name, if the name section has one) of the function, e.g. "3 ($transfer)".
        rule: Short stable name of the rule that refuses, e.g. "float", "export", "limit:functions".
        hint: What the author of the contract can do about it.
    """

    phase: ClassVar[str] = "module"

    def __init__(
        self,
        reason: str,
        *,
        offset: int | None = None,
        section: str | None = None,
        function: str | None = None,
        rule: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset
        self.section = section
        self.function = function
        self.rule = rule or self.phase
        self.hint = hint

    def __str__(self) -> str:
        place = [f"{self.section} section"] if self.section else []
        if self.function is not None:
            place.append(f"function {self.function}")
        if self.offset is not None:
            place.append(f"offset 0x{self.offset:x}")
        text = f"{self.rule}: {self.reason}"
        if place:
            text += f" ({', '.join(place)})"
        if self.hint:
            text += f"; {self.hint}"
        return text

    def as_dict(self) -> dict[str, str | int | None]:
        """The facts, for `--json` output and JSON-RPC error data."""
        return {
            "phase": self.phase,
            "rule": self.rule,
            "reason": self.reason,
            "section": self.section,
            "function": self.function,
            "offset": self.offset,
            "hint": self.hint,
        }


class MalformedModule(ModuleError):
    """The bytes are not a module in the binary format (core spec, chapter 5)."""

    phase: ClassVar[str] = "malformed"


class InvalidModule(ModuleError):
    """The module breaks a validation rule (core spec, chapter 3)."""

    phase: ClassVar[str] = "invalid"


class ForbiddenModule(ModuleError):
    """Valid WebAssembly that the contract interface does not admit."""

    phase: ClassVar[str] = "forbidden"


class LinkError(ModuleError):
    """An import cannot be satisfied (core spec 4.5.4)."""

    phase: ClassVar[str] = "unlinkable"


class ExceptionalHalt(EwasmError):
    """The frame fails and all gas given to it is gone."""

    status: ClassVar[Status] = Status.FAILURE


class OutOfGas(ExceptionalHalt):
    """A charge was larger than the gas left."""

    status = Status.OUT_OF_GAS


class Trap(ExceptionalHalt):
    """A trap; the text is that of the core spec tests ("integer divide by zero")."""

    status = Status.WASM_TRAP

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        if text == "unreachable":
            self.status = Status.WASM_UNREACHABLE_INSTRUCTION  # type: ignore[misc]


class StackExhausted(ExceptionalHalt):
    """The sum of live frames' heights passed the limit in the rules."""

    status = Status.CALL_DEPTH_EXCEEDED

    def __init__(self) -> None:
        super().__init__("call stack exhausted")


class MemoryExhausted(ExceptionalHalt):
    """The live frames of the transaction would hold more memory than the rules allow (`limit:live_pages`)."""

    def __init__(self) -> None:
        super().__init__("memory of the transaction exhausted (limit:live_pages)")


class MemoryAccess(ExceptionalHalt):
    """A host function was given a range that does not lie inside memory (or inside a buffer it copies from)."""

    status = Status.INVALID_MEMORY_ACCESS


class StaticViolation(ExceptionalHalt):
    """A state change was asked for inside a static call."""

    status = Status.STATIC_MODE_VIOLATION


class ArgumentOutOfRange(ExceptionalHalt):
    """A host function was given a value it cannot take."""

    status = Status.ARGUMENT_OUT_OF_RANGE


class ContractValidationFailure(ExceptionalHalt):
    """The gate refused code; `error` holds its verdict."""

    status = Status.CONTRACT_VALIDATION_FAILURE

    def __init__(self, error: ModuleError) -> None:
        super().__init__(str(error))
        self.error = error


class FrameEnd(EwasmError):
    """The frame ends here with `output`."""

    def __init__(self, output: bytes) -> None:
        super().__init__(output)
        self.output = output


class Finish(FrameEnd):
    """Success."""


class Revert(FrameEnd):
    """State is undone, the gas left is kept."""
