"""The contract gate: which modules are contracts (PROTOCOL section 1).

`check` takes bytes through decode, validate and the rules; what comes back is the only thing an engine will compile.
Every refusal says which rule, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypedDict

from ewasm.eei import HostEntry, bind
from ewasm.errors import ForbiddenModule, ModuleError
from ewasm.metering.schedule import Schedule
from ewasm.rules import Rules
from ewasm.wasm import opcodes as op
from ewasm.wasm.decode import decode
from ewasm.wasm.module import Export, Import, Module, ValidModule
from ewasm.wasm.types import FUNC, GLOBAL, I32, KIND_NAMES, MEMORY, FuncType
from ewasm.wasm.validate import validate

__all__ = ["ARGUMENTS_SECTION", "MAGIC", "Contract", "Facts", "check", "is_wasm", "split_arguments", "verdict"]

MAGIC = b"\0asm"
ARGUMENTS_SECTION = "ewasm.args"
_MAIN_TYPE = FuncType((), ())


class Facts(TypedDict):
    """A `Contract` without its module, as it is written to disk."""

    entries: dict[str, int]
    sizes: tuple[int, int, int, int]
    arguments: tuple[int, int] | None


class Contract:
    """A module that passed the gate; only `check` makes one, and `recalled` makes it again.

    Attributes:
        code: The submitted bytes.
        rules: The rules it passed.
        entries: Entry points by name: "main", and "deploy" where the module has it.
        initial_pages: Pages of memory at the start.
        initial_bytes: Bytes of active data segments.
        initial_entries: Entries of tables at the start, and of active element segments.
        most_pages: Pages that memory can have at most: its maximum, or what it starts with where nothing grows it.
        schedule: What the contract pays: the rules' schedule, with memory as dear as there may be of it.
        arguments: Where the code has constructor arguments: offset of their section, offset of their first byte.
    """

    __slots__ = (
        "_valid",
        "arguments",
        "code",
        "entries",
        "initial_bytes",
        "initial_entries",
        "initial_pages",
        "most_pages",
        "rules",
        "schedule",
    )

    def __init__(
        self,
        code: bytes,
        rules: Rules,
        entries: Mapping[str, int],
        sizes: tuple[int, int, int, int],
        arguments: tuple[int, int] | None,
        valid: ValidModule | None = None,
    ) -> None:
        self.code = code
        self.rules = rules
        self.entries = entries
        self.initial_pages, self.initial_bytes, self.initial_entries, self.most_pages = sizes
        self.schedule: Schedule = rules.schedule.reaching(self.most_pages)
        self.arguments = arguments
        self._valid = valid

    @classmethod
    def recalled(cls, code: bytes, rules: Rules, facts: Facts) -> Contract:
        """A contract that passed the gate before, from `facts`: to run it, nothing of the module is needed again."""
        return cls(code, rules, facts["entries"], facts["sizes"], facts["arguments"])

    @property
    def facts(self) -> Facts:
        """What `recalled` needs, as plain data."""
        sizes = (self.initial_pages, self.initial_bytes, self.initial_entries, self.most_pages)
        return {"entries": dict(self.entries), "sizes": sizes, "arguments": self.arguments}

    @property
    def valid(self) -> ValidModule:
        """What validation made of the code; made again where it was let go, or never there."""
        valid = self._valid
        if valid is None:
            valid = self._valid = validate(decode(self.code), self.rules.features)
        return valid

    def let_go(self) -> None:
        """Forget the module: compiled code does without, and it takes fifty times the room of the code."""
        self._valid = None

    @property
    def imports(self) -> tuple[HostEntry, ...]:
        """Host functions in the order of the function index space."""
        known = bind(self.rules)
        return tuple(known[item.module, item.name] for item in self.valid.module.imports)

    @property
    def has_deploy(self) -> bool:
        return "deploy" in self.entries


def is_wasm(code: bytes) -> bool:
    """Whether code is dispatched to the Wasm VM: its first four bytes are the magic, whatever follows."""
    return code[:4] == MAGIC


def check(code: bytes, rules: Rules, *, size_limit: int | None = None) -> Contract:
    """Decide whether `code` is a contract under `rules`.

    Args:
        code: The bytes.
        rules: Rule set.
        size_limit: Most bytes; the rules' limit for stored code unless given (init code may be larger).

    Raises:
        MalformedModule, InvalidModule, ForbiddenModule: With rule, place and hint.
    """
    limit = rules.limits.code_bytes if size_limit is None else size_limit
    if len(code) > limit:
        raise ForbiddenModule(f"code of {len(code)} bytes, limit {limit}", rule="limit:code_bytes")
    module = decode(code)
    _check_counts(module, rules)
    valid = validate(module, rules.features)
    _check_sizes(valid, rules)
    for item in module.imports:
        _check_import(item, module, rules)
    if module.start is not None:
        raise ForbiddenModule(
            f"a start function ({module.describe_function(module.start)})",
            rule="start",
            section="start",
            offset=module.section_offsets.get("start"),
            hint="call it from main instead",
        )
    entries = _check_exports(valid, rules)
    return Contract(code, rules, entries, _sizes(valid, rules), _arguments(module, code), valid)


def _sizes(valid: ValidModule, rules: Rules) -> tuple[int, int, int, int]:
    """Pages, bytes and table entries that an instance starts with, and the most pages that it can have."""
    module = valid.module
    entries = sum(table.limits.minimum for table in module.tables)
    entries += sum(len(element.init) for element in module.elements if element.mode == "active")
    data_bytes = sum(len(segment.data) for segment in module.data if segment.mode == "active")
    pages = valid.memory_types[0].limits
    ceiling = rules.limits.memory_pages if pages.maximum is None else min(pages.maximum, rules.limits.memory_pages)
    grows = any(code[0] == op.MEMORY_GROW for function in module.functions for code in function.body)
    return pages.minimum, data_bytes, entries, ceiling if grows else pages.minimum


def split_arguments(contract: Contract) -> tuple[bytes, bytes]:
    """Take constructor arguments off a module with a `deploy` export.

    Returns:
        (code to store, arguments): the module without its last section if that is the custom section `ewasm.args`,
        and that section's payload; else the whole code and nothing.
    """
    if contract.arguments is None:
        return contract.code, b""
    section, payload = contract.arguments
    return contract.code[:section], contract.code[payload:]


def _arguments(module: Module, code: bytes) -> tuple[int, int] | None:
    """Offsets of the section `ewasm.args` and of its payload, if that is the last section."""
    last = module.customs[-1] if module.customs else None
    if last is None or last.name != ARGUMENTS_SECTION or last.end != len(code):
        return None
    return last.offset, last.end - len(last.data)


# -- limits ------------------------------------------------------------------------------------------------------


def _over(what: str, rule: str, found: int, limit: int, **place: str | int | None) -> ForbiddenModule:
    return ForbiddenModule(f"{found} {what}, limit {limit}", rule=f"limit:{rule}", **place)  # type: ignore[arg-type]


def _check_counts(module: Module, rules: Rules) -> None:
    """Limits that need no types, before validation spends time on them."""
    limits = rules.limits
    counts = (
        ("types", "types", len(module.types), limits.types, "type"),
        ("imports", "imports", len(module.imports), limits.imports, "import"),
        ("functions", "functions", len(module.functions), limits.functions, "function"),
        ("globals", "globals", len(module.globals), limits.globals, "global"),
        ("data segments", "data_segments", len(module.data), limits.data_segments, "data"),
        ("element segments", "element_segments", len(module.elements), limits.element_segments, "element"),
    )
    for what, rule, found, limit, section in counts:
        if found > limit:
            raise _over(what, rule, found, limit, section=section, offset=module.section_offsets.get(section))
    for function_type in module.types:
        for what, found, limit in (
            ("parameters", len(function_type.params), limits.parameters),
            ("results", len(function_type.results), limits.results),
        ):
            if found > limit:
                raise _over(what, what, found, limit, section="type", offset=module.section_offsets.get("type"))
    declared = sum(count for function in module.functions for count, _ in function.locals)
    if declared > limits.module_locals:
        raise _over(
            "locals in all functions",
            "module_locals",
            declared,
            limits.module_locals,
            section="code",
            offset=module.section_offsets.get("code"),
        )
    imported = sum(item.kind == FUNC for item in module.imports)
    for index, function in enumerate(module.functions):
        place: dict[str, str | int | None] = {
            "section": "code",
            "function": module.describe_function(imported + index),
            "offset": function.offset,
        }
        if function.size_bytes > limits.body_bytes:
            raise _over("bytes of body", "body_bytes", function.size_bytes, limits.body_bytes, **place)
        if (found := sum(count for count, _ in function.locals)) > limits.locals:
            raise _over("locals", "locals", found, limits.locals, **place)
        blocks = nesting = 0
        for position, instruction in enumerate(function.body):
            code = instruction[0]
            if code in (op.BLOCK, op.LOOP, op.IF):
                blocks += 1
                nesting += 1
            elif code == op.END:
                nesting -= 1
            elif code == op.BR_TABLE and len(instruction[1]) > limits.br_table_targets:
                place["offset"] = function.offsets[position]
                raise _over(
                    "br_table targets", "br_table_targets", len(instruction[1]), limits.br_table_targets, **place
                )
            for what, found, limit in (("blocks", blocks, limits.blocks), ("nesting", nesting, limits.nesting)):
                if found > limit:
                    place["offset"] = function.offsets[position]
                    raise _over("nested blocks" if what == "nesting" else what, what, found, limit, **place)


def _check_sizes(valid: ValidModule, rules: Rules) -> None:
    module, limits = valid.module, rules.limits
    for index, known in enumerate(valid.functions):
        if known.max_height > limits.operand_height:
            raise _over(
                "operands on the stack",
                "operand_height",
                known.max_height,
                limits.operand_height,
                section="code",
                function=module.describe_function(valid.imported_functions + index),
                offset=module.functions[index].offset,
            )
    for table in module.tables:
        if table.limits.minimum > limits.table_entries:
            raise _over(
                "table entries",
                "table_entries",
                table.limits.minimum,
                limits.table_entries,
                section="table",
                offset=module.section_offsets.get("table"),
            )
    for memory in module.memories:
        if memory.limits.minimum > limits.memory_pages:
            raise _over(
                "pages of initial memory",
                "memory_pages",
                memory.limits.minimum,
                limits.memory_pages,
                section="memory",
                offset=module.section_offsets.get("memory"),
                hint="set a smaller initial memory when linking, and grow it when needed",
            )


# -- imports -----------------------------------------------------------------------------------------------------


def _check_import(item: Import, module: Module, rules: Rules) -> None:
    name = f"{item.module}.{item.name}"
    if not isinstance(item.type, int):
        kind = KIND_NAMES[item.kind]
        raise ForbiddenModule(
            f"import of {kind} {name}",
            rule="import",
            section="import",
            offset=item.offset,
            hint=f"a contract defines its own {kind}",
        )
    entry = bind(rules).get((item.module, item.name))
    if entry is None:
        raise ForbiddenModule(
            f"unknown import {name}",
            rule="import",
            section="import",
            offset=item.offset,
            hint=_import_hint(item, rules),
        )
    wanted = FuncType(entry.row.params, entry.row.results)
    if module.types[item.type] != wanted:
        raise ForbiddenModule(
            f"import {name} has type {module.types[item.type]}, must be {wanted}",
            rule="import",
            section="import",
            offset=item.offset,
            hint="declare it with the exact signature of the interface",
        )


def _import_hint(item: Import, rules: Rules) -> str:
    if item.module == "debug":
        return "debug functions are importable only where the node runs with debug on"
    if item.module not in rules.namespaces:
        return f"{rules.name} knows the modules {', '.join(sorted(rules.namespaces))}"
    for module, name in bind(rules):
        if module == item.module and name.lower() == item.name.lower():
            return f"did you mean {module}.{name}?"
    return f"{item.module} has no function of that name under {rules.name}"


# -- exports -----------------------------------------------------------------------------------------------------


def _check_exports(valid: ValidModule, rules: Rules) -> dict[str, int]:
    module = valid.module
    exports = {item.name: item for item in module.exports}
    place = {"section": "export", "offset": module.section_offsets.get("export")}
    if (memory := exports.get("memory")) is None or memory.kind != MEMORY:
        raise ForbiddenModule(
            "no exported memory named memory" if memory is None else "the export memory is not a memory",
            rule="export",
            hint='export the memory as "memory"',
            **place,  # type: ignore[arg-type]
        )
    if (main := exports.get("main")) is None or main.kind != FUNC:
        raise ForbiddenModule(
            "no exported function named main" if main is None else "the export main is not a function",
            rule="export",
            hint='export a function () -> () as "main"',
            **place,  # type: ignore[arg-type]
        )
    entries = {}
    for item in module.exports:
        if item.name == "main" or (item.name == "deploy" and rules.interface >= 2026):
            entries[item.name] = _check_entry(item, valid)
        elif item is not memory and not _is_tolerated(item, valid, rules):
            raise ForbiddenModule(
                f"export of {KIND_NAMES[item.kind]} {item.name!r}",
                rule="export",
                section="export",
                offset=item.offset,
                hint="a contract exports " + ", ".join(_allowed_exports(rules)) + " and nothing else",
            )
    return entries


def _allowed_exports(rules: Rules) -> Iterator[str]:
    yield "main"
    if rules.interface >= 2026:
        yield "deploy"
    yield "memory"


def _check_entry(item: Export, valid: ValidModule) -> int:
    if item.kind != FUNC:
        raise ForbiddenModule(
            f"the export {item.name} is not a function", rule="export", section="export", offset=item.offset
        )
    found = valid.function_types[item.index]
    if found != _MAIN_TYPE:
        raise ForbiddenModule(
            f"the export {item.name} has type {found}, must be () -> ()",
            rule="export",
            section="export",
            function=valid.module.describe_function(item.index),
            offset=item.offset,
            hint="read call data with callDataCopy and return data with finish",
        )
    return item.index


def _is_tolerated(item: Export, valid: ValidModule, rules: Rules) -> bool:
    """EWASM_2026 ignores the immutable i32 globals that linkers export (`__heap_base`, `__data_end`)."""
    if rules.interface < 2026 or item.kind != GLOBAL:
        return False
    global_type = valid.global_types[item.index]
    return global_type.value_type == I32 and not global_type.mutable


def verdict(code: bytes, rules: Rules) -> ModuleError | None:
    """`check` as a value: None if the code is a contract, else why not."""
    try:
        check(code, rules)
    except ModuleError as error:
        return error
    return None
