"""Every module of the core spec tests (wg-2.0, no SIMD) gets its verdict, and survives encoding and disassembly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ewasm.errors import InvalidModule, MalformedModule, ModuleError
from ewasm.wasm import CORE_2_0, Module, decode, disassemble, encode, validate
from ewasm.wasm.opcodes import BLOCK, IF, LOOP, OPCODES, SELECT_T
from ewasm.wasm.types import F32, F64, GlobalType
from tests.conftest import conformance_folder
from tests.wasm_tools_cli import script

_FOLDER = conformance_folder()
_SCRIPTS = sorted((_FOLDER / "wasm-spec-2.0").glob("*.wast")) if _FOLDER else []

# Scripts that are expected to differ, with the reason. There are none.
EXCEPTIONS: dict[tuple[str, int], str] = {}

_VERDICTS: dict[str, type[ModuleError] | None] = {
    "module": None,
    "module_definition": None,
    "assert_unlinkable": None,
    "assert_uninstantiable": None,
    "assert_trap": None,
    "assert_invalid": InvalidModule,
    "assert_malformed": MalformedModule,
}


def comparable(module: Module) -> Module:
    """Without what the text format has no words for: runs of locals, an unused data count, custom sections."""
    functions = []
    for function in module.functions:
        runs: list[tuple[int, int]] = []
        for count, value_type in function.locals:
            if runs and runs[-1][1] == value_type:
                runs[-1] = (runs[-1][0] + count, value_type)
            elif count:
                runs.append((count, value_type))
        functions.append(replace(function, locals=tuple(runs)))
    return replace(module, functions=tuple(functions), data_count=None, customs=())


def test_conformance_data_is_there(conformance: Path) -> None:
    assert len(_SCRIPTS) == 90, conformance


@pytest.mark.parametrize("wast", _SCRIPTS, ids=lambda path: path.stem)
def test_every_module_gets_its_verdict(wast: Path, tmp_path: Path) -> None:
    modules: list[Module] = []
    wrong: list[str] = []
    for command in script(wast, tmp_path):
        if "filename" not in command or command.get("module_type", "binary") != "binary":
            continue
        if (wast.stem, command["line"]) in EXCEPTIONS:
            continue
        expected = _VERDICTS[command["type"]]
        data = (tmp_path / command["filename"]).read_bytes()
        verdict: ModuleError | None = None
        try:
            module = decode(data)
            assert decode(encode(module)) == module
            validate(module, CORE_2_0)
            modules.append(module)
        except ModuleError as error:
            verdict = error
        if type(verdict) is not (expected or type(None)):
            wrong.append(f"line {command['line']}: {command.get('text', 'valid')}, but {verdict}")
        elif isinstance(verdict, InvalidModule) and not verdict.reason.startswith(command["text"]):
            wrong.append(f"line {command['line']}: invalid, but for another reason: {verdict}")
    assert not wrong, "\n".join(wrong)
    if modules:
        _check_text(modules, tmp_path)


def _check_text(modules: list[Module], folder: Path) -> None:
    """Disassembled modules parse to equal ones (all in one script: starting the parser is what takes time)."""
    texts = folder / "again.wast"
    texts.write_text("".join(disassemble(module).replace("(module", "(module definition", 1) for module in modules))
    (folder / "again").mkdir()
    parsed = [decode((folder / "again" / item["filename"]).read_bytes()) for item in script(texts, folder / "again")]
    assert len(parsed) == len(modules)
    for again, module in zip(parsed, modules, strict=True):
        assert comparable(again) == comparable(module)


def has_float(module: Module) -> bool:
    """Whether a float stands anywhere: types, imports, globals, locals, blocks, instructions."""
    types = {value_type for type_ in module.types for value_type in (*type_.params, *type_.results)}
    types |= {global_.type.value_type for global_ in module.globals}
    types |= {item.type.value_type for item in module.imports if isinstance(item.type, GlobalType)}
    types |= {value_type for function in module.functions for _, value_type in function.locals}
    bodies = [instr for function in module.functions for instr in function.body]
    types |= {instr[1] + 0x80 for instr in bodies if instr[0] in (BLOCK, LOOP, IF)}
    types |= {instr[1][0] for instr in bodies if instr[0] == SELECT_T}
    return bool(types & {F32, F64}) or any(OPCODES[instr[0]].cost_class == "float" for instr in bodies)


@pytest.mark.parametrize("wast", _SCRIPTS, ids=lambda path: path.stem)
def test_without_floats_exactly_the_modules_that_have_one_are_refused(wast: Path, tmp_path: Path) -> None:
    for command in script(wast, tmp_path):
        if command["type"] != "module" or command.get("module_type", "binary") != "binary":
            continue
        module = decode((tmp_path / command["filename"]).read_bytes())
        if not has_float(module):
            validate(module, CORE_2_0 - {"float"})
            continue
        with pytest.raises(InvalidModule, match="is a float") as refusal:
            validate(module, CORE_2_0 - {"float"})
        assert refusal.value.rule == "feature:float"
        assert refusal.value.section in ("type", "import", "global", "code")
        assert refusal.value.offset is not None
