"""Running the commands of one script (the JSON of `wasm-tools json-from-wast` and of wast2json)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ewasm.errors import (
    ExceptionalHalt,
    InvalidModule,
    LinkError,
    MalformedModule,
    ModuleError,
    StackExhausted,
    Trap,
)
from ewasm.spectest.store import FEATURES, RUNNABLE, SPECTEST, EngineFault, ExternType, HostReference, Store
from ewasm.wasm.decode import decode
from ewasm.wasm.module import Import, ValidModule
from ewasm.wasm.types import EXTERNREF, FUNC, FUNCREF, GLOBAL, I32, I64, MEMORY, TABLE
from ewasm.wasm.validate import validate

__all__ = ["Outcome", "Report", "run_script"]

_WIDTHS = {"i32": 32, "i64": 64}
_NUMBERS = {"i32": I32, "i64": I64}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one command.

    Attributes:
        kind: "module", "assert_return", ...
        line: In the script.
        verdict: "passed", "failed" or "refused".
        reason: Of a failure, what was expected and what came; of a refusal, the feature ("float").
        particles: What an action that passed cost, where it was counted.
    """

    kind: str
    line: int
    verdict: str
    reason: str = ""
    particles: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one script.

    Attributes:
        outcomes: In the order of the commands. `register` stands here only if it fails.
        text_skipped: assert_malformed commands in text form: this project reads binaries only.
    """

    outcomes: tuple[Outcome, ...]
    text_skipped: int = 0

    def count(self, verdict: str) -> int:
        return sum(o.verdict == verdict for o in self.outcomes)

    def kinds(self, verdict: str) -> Counter[str]:
        """Commands with this verdict, by kind."""
        return Counter(o.kind for o in self.outcomes if o.verdict == verdict)

    def refusals(self) -> Counter[str]:
        """Refused commands, by reason."""
        return Counter(o.reason for o in self.outcomes if o.verdict == "refused")


@dataclass(frozen=True, slots=True)
class _Instance:
    """An instance.

    Attributes:
        valid: None for the host module.
        stand_in: Where it imports from a module that is refused, the reason: it was linked against things of the right
            types, so it can be linked to in turn, but not acted on.
    """

    valid: ValidModule | None
    exports: Mapping[str, Any]
    stand_in: str = ""

    def index(self, name: str, kind: int) -> int:
        module = self.valid.module if self.valid else None
        for item in module.exports if module else ():
            if item.name == name and item.kind == kind:
                return item.index
        raise _Failed(f"no export {name!r} of that kind")


class _Refused(Exception):
    """The command needs a feature that is left out; the text names it.

    Args:
        valid: The module that is refused, if others may still be linked against its types.
    """

    def __init__(self, reason: str, valid: ValidModule | None = None) -> None:
        super().__init__(reason)
        self.valid = valid


class _Failed(Exception):
    """The command did not do what the script says; the text says how."""


_Found = _Instance | _Refused | _Failed
"""What a name in the script stands for: an instance, or why there is none."""


def run_script(commands: Sequence[Mapping[str, Any]], read: Callable[[str], bytes], store: Store) -> Report:
    """Run one script.

    Args:
        commands: The commands, parsed from JSON.
        read: Bytes of a module that a command names.
        store: A fresh store.
    """
    runner = _Runner(read, store)
    outcomes = []
    skipped = 0
    for command in commands:
        kind, line = command["type"], command.get("line", 0)
        if kind in ("assert_malformed", "assert_invalid") and _is_text(command):
            skipped += 1
            continue
        try:
            runner.run(kind, command)
        except _Refused as refusal:
            if kind != "register":
                outcomes.append(Outcome(kind, line, "refused", str(refusal)))
        except _Failed as failure:
            outcomes.append(Outcome(kind, line, "failed", str(failure)))
        else:
            if kind not in ("register", "module_definition"):
                called = kind in ("action", "assert_return") and command["action"]["type"] == "invoke"
                particles = store.particles if called else None
                outcomes.append(Outcome(kind, line, "passed", particles=particles))
    return Report(tuple(outcomes), skipped)


def _is_text(command: Mapping[str, Any]) -> bool:
    return command.get("module_type") == "text" and "binary_filename" not in command


class _Runner:
    def __init__(self, read: Callable[[str], bytes], store: Store) -> None:
        self.read = read
        self.store = store
        self.current: _Found = _Failed("there is no module yet")
        self.named: dict[str, _Found] = {}
        self.registered: dict[str, _Found] = {"spectest": _Instance(None, store.host_module(SPECTEST))}
        self.definitions: dict[str | None, Mapping[str, Any]] = {}

    def run(self, kind: str, command: Mapping[str, Any]) -> None:
        """
        Raises:
            _Refused, _Failed: And nothing else.
        """
        match kind:
            case "module":
                self._module(command, command.get("name"))
            case "module_definition":
                self.definitions[None] = self.definitions[command.get("name")] = command
            case "module_instance":
                self._module(self.definitions[command.get("module")], command.get("instance"))
            case "register":
                self.registered[command["as"]] = found = self._found(command.get("name"))
                if not isinstance(found, _Instance):
                    raise found
            case "action":
                self._checked(lambda: self._act(command["action"]))
            case "assert_return":
                self._assert_return(command)
            case "assert_trap" | "assert_exhaustion" if "action" in command:
                wanted = Trap if kind == "assert_trap" else StackExhausted
                self._assert_halt(lambda: self._act(command["action"]), wanted, command["text"])
            case "assert_uninstantiable" | "assert_trap":
                valid = self._valid(command)
                self._assert_halt(lambda: self._instance(valid), Trap, command["text"])
            case "assert_unlinkable":
                self._assert_unlinkable(command)
            case "assert_invalid":
                self._assert_refused(command, InvalidModule)
            case "assert_malformed":
                self._assert_refused(command, MalformedModule)
            case _:
                raise _Refused(kind)

    # -- modules -------------------------------------------------------------------------------------------------

    def _module(self, command: Mapping[str, Any], name: str | None) -> None:
        try:
            self.current = self._checked(lambda: self._instance(self._valid(command)))
        except (_Refused, _Failed) as error:
            # What follows and needs this module shares its fate.
            self.current = error if isinstance(error, _Refused) else _Failed("the module it needs failed")
            raise
        finally:
            if name is not None:
                self.named[name] = self.current

    def _bytes(self, command: Mapping[str, Any]) -> bytes:
        return self.read(command.get("binary_filename") or command["filename"])

    def _valid(self, command: Mapping[str, Any], *, to_run: bool = True) -> ValidModule:
        """The module of a command, decoded and validated.

        Args:
            to_run: Refuse what the engine is not to run.
        """
        try:
            module = decode(self._bytes(command))
            valid = validate(module, FEATURES)
        except ModuleError as error:
            feature = _feature(error)
            raise (_Refused(feature) if feature else _Failed(f"not accepted: {error}")) from None
        # Floats first, so that the reason for refusing a module is the same on every engine.
        if to_run:
            float_use = _feature_lacking(valid, RUNNABLE)
            if float_use:
                linkable = not _feature_lacking(valid, FEATURES - (RUNNABLE - self.store.features))
                raise _Refused(float_use, valid if linkable else None)
        lacking = _feature_lacking(valid, FEATURES - (RUNNABLE - self.store.features))
        if lacking:
            raise _Refused(lacking)
        return valid

    def _instance(self, valid: ValidModule) -> _Instance:
        """
        Raises:
            LinkError, ExceptionalHalt, EngineFault: As `Store.instantiate`.
            _Refused, _Failed: A module that this one imports from is not there.
        """
        sources = [self._source(item) for item in valid.module.imports]
        stand_in = next((source.stand_in for source in sources if source.stand_in), "")
        if stand_in and valid.module.start is not None:
            raise _Refused(stand_in)
        imports = [source.exports[item.name] for source, item in zip(sources, valid.module.imports, strict=True)]
        return _Instance(valid, self.store.instantiate(valid, imports), stand_in)

    def _source(self, item: Import) -> _Instance:
        """The instance that has what is imported."""
        found = self.registered.get(item.module)
        if found is None:
            raise LinkError("unknown import", hint=f"no module {item.module!r}")
        if isinstance(found, _Refused) and found.valid is not None:
            types = _export_types(found.valid)
            found = _Instance(None, self.store.host_module(types), str(found))
            self.registered[item.module] = found
        if not isinstance(found, _Instance):
            raise found
        if item.name not in found.exports:
            raise LinkError("unknown import", hint=f"{item.module!r} has no {item.name!r}")
        return found

    def _found(self, name: str | None) -> _Found:
        return self.current if name is None else self.named.get(name, _Failed(f"no module {name}"))

    # -- actions -------------------------------------------------------------------------------------------------

    def _act(self, action: Mapping[str, Any]) -> tuple[Any, ...]:
        found = self._found(action.get("module"))
        if not isinstance(found, _Instance):
            raise found
        if found.stand_in:
            raise _Refused(found.stand_in)
        if found.valid is None:
            raise _Failed("the host module is not there to be acted on")
        name = action["field"]
        if action["type"] == "get":
            global_type = found.valid.global_types[found.index(name, GLOBAL)]
            return (self.store.read_global(found.exports[name], global_type),)
        type_ = found.valid.function_types[found.index(name, FUNC)]
        arguments = tuple(_argument(a) for a in action.get("args", ()))
        if [_type_code(a["type"]) for a in action.get("args", ())] != list(type_.params):
            raise _Failed(f"arguments do not fit {type_}")
        return self.store.invoke(found.exports[name], type_, arguments)

    def _checked(self, act: Callable[[], Any]) -> Any:
        """The result of something that has to work."""
        try:
            return act()
        except (ModuleError, ExceptionalHalt, EngineFault) as error:
            raise _Failed(_describe(error)) from None

    def _assert_return(self, command: Mapping[str, Any]) -> None:
        results = self._checked(lambda: self._act(command["action"]))
        expected = command.get("expected", [])
        if len(results) != len(expected) or not all(map(_matches, expected, results)):
            raise _Failed(f"expected {_show_all(expected)}, got {', '.join(map(_show, results)) or 'nothing'}")

    def _assert_halt(self, act: Callable[[], Any], wanted: type[ExceptionalHalt], text: str) -> None:
        try:
            act()
        except (ModuleError, ExceptionalHalt, EngineFault) as error:
            # The script's text may say more than ours ("uninitialized element 2").
            said = str(error).split(": ") if isinstance(error, wanted) else []
            if not any(text.startswith(part) for part in said):
                raise _Failed(f"expected {text!r}, got {_describe(error)}") from None
            return
        raise _Failed(f"expected {text!r}, got no trap")

    def _assert_unlinkable(self, command: Mapping[str, Any]) -> None:
        # Nothing of the module runs, so its floats do no harm; but the engine has to know its types.
        valid = self._valid(command, to_run=False)
        try:
            self._instance(valid)
        except (ModuleError, ExceptionalHalt, EngineFault) as error:
            if not isinstance(error, LinkError) or not error.reason.startswith(command["text"]):
                raise _Failed(f"expected {command['text']!r}, got {_describe(error)}") from None
            return
        raise _Failed(f"expected {command['text']!r}, but it was linked")

    def _assert_refused(self, command: Mapping[str, Any], wanted: type[ModuleError]) -> None:
        try:
            validate(decode(self._bytes(command)), FEATURES)
        except ModuleError as error:
            if error.rule == "feature:simd":
                # The specification may accept it; what else this project lacks, version 2.0 lacks, too.
                raise _Refused("simd") from None
            # Words for malformed bytes depend on the order in which they are looked at; those of validation do not.
            named = wanted is MalformedModule or error.reason.startswith(command["text"])
            if type(error) is not wanted or not named:
                if _feature(error):
                    # A script of a later version: what is wrong with the module lies behind what is missing here.
                    raise _Refused(_feature(error)) from None
                raise _Failed(f"expected {command['text']!r}, got {_describe(error)}") from None
            return
        raise _Failed(f"expected {command['text']!r}, but it is accepted")


def _feature(error: ModuleError) -> str:
    """The feature that an error finds missing; empty if it is about something else."""
    if not error.rule.startswith("feature:"):
        return ""
    feature = error.rule.removeprefix("feature:")
    return "float" if feature == "saturating_float" else feature


def _feature_lacking(valid: ValidModule, features: frozenset[str]) -> str:
    """A feature beyond `features` that a valid module uses; empty if there is none."""
    try:
        validate(valid.module, features)
    except InvalidModule as error:
        return _feature(error)
    return ""


def _export_types(valid: ValidModule) -> dict[str, ExternType]:
    spaces: dict[int, Sequence[ExternType]] = {
        FUNC: valid.function_types,
        TABLE: valid.table_types,
        MEMORY: valid.memory_types,
        GLOBAL: valid.global_types,
    }
    return {item.name: spaces[item.kind][item.index] for item in valid.module.exports}


# -- values ------------------------------------------------------------------------------------------------------


def _argument(value: Mapping[str, Any]) -> Any:
    kind, text = value["type"], str(value.get("value"))
    if kind in _WIDTHS:
        return int(text) % (1 << _WIDTHS[kind])
    if text == "null":
        return None
    if kind == "externref":
        return HostReference(int(text))
    raise _Refused("float" if kind in ("f32", "f64") else kind)


def _type_code(name: str) -> int:
    return {"externref": EXTERNREF, "funcref": FUNCREF, **_NUMBERS}.get(name, 0)


def _matches(expected: Mapping[str, Any], actual: Any) -> bool:
    """Whether a result is what the script says; a reference without a value stands for any that is not null."""
    kind, text = expected["type"], expected.get("value")
    if kind == "either":
        return any(_matches(option, actual) for option in expected["values"])
    if kind in _WIDTHS:
        return isinstance(actual, int) and actual == int(str(text)) % (1 << _WIDTHS[kind])
    if text == "null" or kind == "refnull":
        return actual is None
    if kind == "externref" and text is not None:
        return bool(actual == HostReference(int(text)))
    if kind in ("externref", "funcref"):
        return actual is not None and isinstance(actual, HostReference) == (kind == "externref")
    raise _Refused("float" if kind in ("f32", "f64") else kind)


def _show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, HostReference):
        return f"extern {value.number}"
    return f"{value} ({value:#x})" if isinstance(value, int) else "a function"


def _show_all(expected: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{e['type']} {e.get('value', '')}".strip() for e in expected) or "nothing"


def _describe(error: Exception) -> str:
    if isinstance(error, EngineFault):
        return f"a fault of the engine: {error}"
    return f"{type(error).__name__}: {error}"
