"""Validation of modules (core spec, chapter 3) under a set of features.

`validate` is the only maker of `ValidModule`. What a feature would admit but `features` lacks is refused with
`rule="feature:<name>"`; everything else is refused in the words of the core spec tests.
"""

from __future__ import annotations

from collections.abc import Iterator

from ewasm.errors import InvalidModule
from ewasm.wasm.module import Element, Expr, Module, ValidFunction, ValidModule
from ewasm.wasm.opcodes import END, REF_FUNC, REF_NULL
from ewasm.wasm.types import (
    EXTERNREF,
    FUNC,
    FUNCREF,
    GLOBAL,
    I32,
    KIND_NAMES,
    MEMORY,
    TABLE,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    TableType,
)
from ewasm.wasm.validate_body import (
    Context,
    at,
    check_value_type,
    refuse_feature,
    type_name,
    validate_body,
    validate_constant,
)

CORE_2_0 = frozenset(
    {
        "mvp",
        "float",
        "sign_extension",
        "saturating_float",
        "multi_value",
        "bulk_memory",
        "reference_types",
        "externref",
        "multi_table",
        "mutable_global",
    }
)
"""The core specification 2.0 without SIMD."""

ALL_FEATURES = CORE_2_0 | {"tail_call", "wide_arithmetic", "extended_const", "multi_memory"}

MAX_PAGES = 65_536


def validate(module: Module, features: frozenset[str]) -> ValidModule:
    """Validate a module.

    Args:
        features: A subset of `ALL_FEATURES`; "mvp" is always on.

    Raises:
        InvalidModule: With the section and, where they are known, the function and the offset.
    """
    place = _Place()
    try:
        return _validate(module, features, place)
    except InvalidModule as error:
        error.section = error.section or place.section
        if error.offset is None:
            error.offset = place.offset
        if error.function is None and place.function is not None:
            error.function = module.describe_function(place.function)
        raise


class _Place:
    """What is being looked at, for messages."""

    __slots__ = ("function", "offset", "section")

    def __init__(self) -> None:
        self.section: str | None = None
        self.offset: int | None = None
        self.function: int | None = None

    def enter(self, section: str, offset: int | None = None) -> None:
        self.section = section
        self.offset = offset or None


def _validate(module: Module, features: frozenset[str], place: _Place) -> ValidModule:
    place.enter("type", module.section_offsets.get("type"))
    for type_ in module.types:
        _check_func_type(type_, features)

    imported = _imports(module, features, place)
    functions = list(imported.functions)
    place.enter("function", module.section_offsets.get("function"))
    functions += [at(module.types, function.type_index, "type") for function in module.functions]
    place.enter("table", module.section_offsets.get("table"))
    for table in module.tables:
        _check_table_type(table, features)
    tables = (*imported.tables, *module.tables)
    if len(tables) > 1 and "multi_table" not in features:
        raise refuse_feature("multi_table", "multiple tables")
    place.enter("memory", module.section_offsets.get("memory"))
    for memory in module.memories:
        _check_memory_type(memory)
    memories = (*imported.memories, *module.memories)
    if len(memories) > 1 and "multi_memory" not in features:
        raise refuse_feature("multi_memory", "multiple memories")
    place.enter("global", module.section_offsets.get("global"))
    for global_ in module.globals:
        check_value_type(global_.type.value_type, features)

    context = Context(
        features=features,
        types=module.types,
        functions=tuple(functions),
        tables=tables,
        memories=memories,
        globals=(*imported.globals, *(global_.type for global_ in module.globals)),
        imported_globals=len(imported.globals),
        elements=tuple(segment.type for segment in module.elements),
        segments=len(module.data),
        references=frozenset(_references(module)),
    )
    for global_ in module.globals:
        place.enter("global", global_.offset)
        validate_constant(global_.init, global_.type.value_type, context)
    _exports(module, context, place)
    _start(module, context, place)
    for segment in module.elements:
        place.enter("element", segment.offset)
        _element(segment, context)
    _data(module, context, place)
    valid = tuple(_bodies(module, context, len(imported.functions), place))
    return ValidModule(
        module=module,
        functions=valid,
        function_types=context.functions,
        table_types=context.tables,
        memory_types=context.memories,
        global_types=context.globals,
        imported_functions=len(imported.functions),
        imported_tables=len(imported.tables),
        imported_memories=len(imported.memories),
        imported_globals=len(imported.globals),
        features=features,
    )


class _Imported:
    __slots__ = ("functions", "globals", "memories", "tables")

    def __init__(self) -> None:
        self.functions: list[FuncType] = []
        self.tables: list[TableType] = []
        self.memories: list[MemoryType] = []
        self.globals: list[GlobalType] = []


def _imports(module: Module, features: frozenset[str], place: _Place) -> _Imported:
    imported = _Imported()
    for item in module.imports:
        place.enter("import", item.offset)
        match item.type:
            case TableType() as table:
                _check_table_type(table, features)
                imported.tables.append(table)
            case MemoryType() as memory:
                _check_memory_type(memory)
                imported.memories.append(memory)
            case GlobalType() as global_:
                check_value_type(global_.value_type, features)
                if global_.mutable and "mutable_global" not in features:
                    raise refuse_feature("mutable_global", "mutable globals cannot be imported")
                imported.globals.append(global_)
            case index:
                imported.functions.append(at(module.types, index, "type"))
    return imported


def _check_func_type(type_: FuncType, features: frozenset[str]) -> None:
    for value_type in (*type_.params, *type_.results):
        check_value_type(value_type, features)
    if len(type_.results) > 1 and "multi_value" not in features:
        raise refuse_feature("multi_value", "invalid result arity")


def _check_limits(limits: Limits) -> None:
    if limits.maximum is not None and limits.minimum > limits.maximum:
        raise InvalidModule("size minimum must not be greater than maximum")


def _check_table_type(type_: TableType, features: frozenset[str]) -> None:
    # The MVP has funcref as a table's element type, though not as a value type.
    if type_.element == EXTERNREF:
        check_value_type(type_.element, features)
    _check_limits(type_.limits)


def _check_memory_type(type_: MemoryType) -> None:
    if max(type_.limits.minimum, type_.limits.maximum or 0) > MAX_PAGES:
        raise InvalidModule("memory size must be at most 65536 pages (4GiB)")
    _check_limits(type_.limits)


def _references(module: Module) -> Iterator[int]:
    """C.refs of 3.4.10: function indices outside of bodies and of the start section."""
    for export in module.exports:
        if export.kind == FUNC:
            yield export.index
    expressions: list[Expr] = [global_.init for global_ in module.globals]
    for segment in module.elements:
        expressions.append(segment.offset_expr)
        expressions += segment.init
    for expr in expressions:
        for instr in expr:
            if instr[0] == REF_FUNC:
                yield instr[1]


def _exports(module: Module, context: Context, place: _Place) -> None:
    spaces = {
        FUNC: len(context.functions),
        TABLE: len(context.tables),
        MEMORY: len(context.memories),
        GLOBAL: len(context.globals),
    }
    names: set[str] = set()
    for export in module.exports:
        place.enter("export", export.offset)
        what = "function" if export.kind == FUNC else KIND_NAMES[export.kind]
        at(range(spaces[export.kind]), export.index, what)
        if export.kind == GLOBAL and context.globals[export.index].mutable and "mutable_global" not in context.features:
            raise refuse_feature("mutable_global", "mutable globals cannot be exported")
        if export.name in names:
            raise InvalidModule("duplicate export name", hint=f'"{export.name}" is exported twice')
        names.add(export.name)


def _start(module: Module, context: Context, place: _Place) -> None:
    if module.start is None:
        return
    place.enter("start", module.section_offsets.get("start"))
    type_ = at(context.functions, module.start, "function")
    if type_ != FuncType((), ()):
        raise InvalidModule(f"start function must have type () -> (), not {type_}")


def _element(segment: Element, context: Context) -> None:
    features = context.features
    if segment.type == EXTERNREF:
        check_value_type(segment.type, features)
    if segment.mode == "active":
        table = at(context.tables, segment.table, "table")
        if table.element != segment.type:
            raise InvalidModule(
                f"type mismatch: table {segment.table} holds {type_name(table.element)}, "
                f"the segment {type_name(segment.type)}"
            )
        validate_constant(segment.offset_expr, I32, context)
    else:
        feature = "bulk_memory" if segment.mode == "passive" else "reference_types"
        if feature not in features:
            raise refuse_feature(feature, f"a {segment.mode} element segment")
    for expr in segment.init:
        op = expr[0][0]
        # `ref.func` also stands for the bare indices of the MVP.
        if op == REF_FUNC and segment.type == FUNCREF and len(expr) == 2 and expr[1][0] == END:
            at(context.functions, expr[0][1], "function")
        elif op == REF_NULL and segment.type == FUNCREF == expr[0][1] and "bulk_memory" in features and len(expr) == 2:
            continue
        elif "reference_types" not in features:
            raise refuse_feature("reference_types", "an element segment of expressions")
        else:
            validate_constant(expr, segment.type, context)


def _data(module: Module, context: Context, place: _Place) -> None:
    if module.data_count is not None and "bulk_memory" not in context.features:
        place.enter("data count", module.section_offsets.get("data count"))
        raise refuse_feature("bulk_memory", "a data count section")
    for segment in module.data:
        place.enter("data", segment.offset)
        if segment.mode == "passive":
            if "bulk_memory" not in context.features:
                raise refuse_feature("bulk_memory", "a passive data segment")
            continue
        at(context.memories, segment.memory, "memory")
        validate_constant(segment.offset_expr, I32, context)


def _bodies(module: Module, context: Context, imported: int, place: _Place) -> Iterator[ValidFunction]:
    for index, function in enumerate(module.functions):
        place.enter("code", function.offset)
        place.function = imported + index
        yield validate_body(function, context.functions[imported + index], context)
