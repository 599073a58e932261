"""Cases as text: the files of `fixtures/regressions`, WebAssembly text whose first lines say how it runs."""

from __future__ import annotations

from collections.abc import Sequence

import wasmtime

from ewasm.fuzz.case import Case, case_rules
from ewasm.fuzz.world import message
from ewasm.message import Kind
from ewasm.wasm.decode import decode
from ewasm.wasm.text import disassemble

__all__ = ["read_case", "write_case"]

_MARK = ";; "


def write_case(case: Case, reasons: Sequence[str]) -> str:
    """The text of a case, with what it differed in."""
    facts = {
        "source": case.source,
        "schedule": case.rules.schedule.name,
        "pages": case.rules.limits.live_pages,
        "gas": case.request.gas,
        "short": case.short,
        "static": int(case.request.is_static),
        "create": int(case.request.is_create),
        "input": case.request.input_data.hex(),
    }
    lines = [f"{_MARK}{name}: {value}" for name, value in facts.items()]
    lines += [f"{_MARK}differed: {' '.join(reason.split())}" for reason in reasons]
    return "\n".join((*lines, disassemble(decode(case.code)), ""))


def read_case(text: str) -> Case:
    """The case of a file.

    Raises:
        ValueError: A line is missing, or what follows is no module.
    """
    lines = (line.removeprefix(_MARK).partition(":") for line in text.splitlines() if line.startswith(_MARK))
    facts = {name: value.strip() for name, _, value in lines}
    try:
        rules = case_rules(facts["schedule"], int(facts["pages"]))
        request = message(
            gas=int(facts["gas"]),
            is_static=facts["static"] == "1",
            kind=Kind.CREATE if facts.get("create") == "1" else Kind.CALL,
            input_data=bytes.fromhex(facts.get("input", "")),
        )
        code = bytes(wasmtime.wat2wasm(text))
        return Case(facts["source"], code, rules, request, int(facts["short"]))
    except KeyError as error:
        raise ValueError(f"no line {_MARK}{error.args[0]}: ...") from None
    except wasmtime.WasmtimeError as error:
        raise ValueError(f"no module: {error}") from None
