"""`ewasm check`: would a node accept a module as a contract, and what will it cost?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ewasm.cli.abi import constructor_types, encode_values, read_abi
from ewasm.cli.files import read_bytes, read_module
from ewasm.cli.options import ArgsCommand, file_argument, rules_option
from ewasm.cli.output import Failure, console, json_option, print_json
from ewasm.errors import ModuleError
from ewasm.metering.schedule import PARTICLES_PER_GAS
from ewasm.rules import Rules

if TYPE_CHECKING:
    from ewasm.contract import Contract

__all__ = ["check", "refused"]

SOURCES = (".c", ".zig", ".rs", ".sol", ".ts")


def refused(file: Path, error: ModuleError, code: bytes = b"") -> Failure:
    """The failure that says why a module is refused, with the instruction where the offset is one's."""
    facts: dict[str, Any] = {"message": str(error), **error.as_dict()}
    text = str(error)
    instruction = _instruction_at(code, error.offset)
    if instruction is not None:
        facts["instruction"] = instruction
        text += f" [{instruction}]"
    return Failure(f"{file}: {text}", {"file": str(file), "ok": False, "error": facts})


def _instruction_at(code: bytes, offset: int | None) -> str | None:
    """The instruction that begins at a byte of the module, as text; None where there is none, or it cannot be read."""
    from ewasm.wasm.decode import decode
    from ewasm.wasm.text import instruction_text

    if offset is None or not code:
        return None
    try:
        module = decode(code)
    except ModuleError:
        return None
    for function in module.functions:
        if function.offsets and function.offsets[0] <= offset <= function.offsets[-1] and offset in function.offsets:
            return instruction_text(module, function.body[function.offsets.index(offset)])
    return None


@click.command(cls=ArgsCommand)
@file_argument
@rules_option
@click.option("--prove", "proved", is_flag=True, help="Also show that injected metering charges exactly what it must.")
@click.option(
    "--abi",
    "abi_file",
    type=click.Path(path_type=Path),
    help="ABI; FILE with .json in place of its ending unless given.",
)
@click.option(
    "--args", "given", multiple=True, metavar="VALUE...", help="Constructor arguments to predict the deployment with."
)
@click.option("--no-deploy", is_flag=True, help="Leave out the deployment, which is tried on a chain in memory.")
@json_option
def check(
    file: Path,
    rules: Rules,
    proved: bool,
    abi_file: Path | None,
    given: tuple[str, ...],
    no_deploy: bool,
    as_json: bool,
) -> None:
    """Would a node accept this module as a contract, and what will it cost?

    Decodes, validates and holds FILE (.wasm, .wat, or a source that `ewasm build` takes, which is built and calls
    functions by their names) against the contract interface. A refusal names the rule, the section, the function, the
    byte offset and what to do about it. For a contract: gas of its deployment, exactly, and the most gas of its entry
    points where they have a bound.
    """
    from ewasm.contract import check as check_contract

    code, named = _built(file, rules) if file.suffix in SOURCES else (read_module(file), None)
    try:
        contract = check_contract(code, rules)
    except ModuleError as error:
        raise refused(file, error, code) from None
    module = contract.valid.module
    facts: dict[str, Any] = {
        "file": str(file),
        "ok": True,
        "rules": rules.name,
        "size_bytes": len(code),
        "functions": len(module.functions),
        "imports": [f"{item.module}.{item.name}" for item in module.imports],
        "exports": [item.name for item in module.exports],
        "memory_pages": [memory.limits.minimum for memory in module.memories],
        "memory": _memory(contract),
        "activation_gas": rules.activation_gas(code),
        "worst_case_gas": _worst_cases(named or contract),
        "deploy_gas": None if no_deploy else _deploy_gas(file, code, contract, rules, abi_file, given),
    }
    if proved:
        facts["proved_functions"] = _prove(file, contract, rules)
    if as_json:
        print_json(facts)
    else:
        _show(file, facts)


def _built(file: Path, rules: Rules) -> tuple[bytes, Contract]:
    """The module that a source becomes, and the same with the names of its functions."""
    from ewasm.cli.blame import named_refusal
    from ewasm.cli.compilers import CompileError, compile_source
    from ewasm.contract import check as check_contract

    read_bytes(file)
    folders = [Path.cwd()]
    try:
        code = compile_source(file, npm_folders=folders)
        check_contract(code, rules)
        # Names make a module larger than it will be, so the limit on its size does not hold for them.
        named = compile_source(file, npm_folders=folders, names=True)
        return code, check_contract(named, rules, size_limit=len(named))
    except CompileError as error:
        raise Failure(str(error) if str(file) in str(error) else f"{file}: {error}") from None
    except ModuleError as error:
        raise refused(file, named_refusal(file, error, rules, folders)) from None


def _show(file: Path, facts: dict[str, Any]) -> None:
    out = console()
    out.print(f"[green]ok[/green] {file} is a contract under {facts['rules']}", markup=True)
    lines = [
        f"{facts['size_bytes']:,} bytes, {facts['functions']} functions, exports {', '.join(facts['exports'])}",
        f"imports {', '.join(facts['imports']) or 'nothing'}",
        f"activation {facts['activation_gas']:,} gas",
        *_memory_lines(facts["memory"]),
    ]
    deploy = facts["deploy_gas"]
    if deploy is not None and "total" in deploy:
        parts = ", ".join(
            f"{name} {deploy[name]:,}" for name in ("base", "calldata", "activation", "deposit", "execution")
        )
        lines.append(f"deployment {deploy['total']:,} gas: {parts}")
    elif deploy is not None:
        lines.append(f"deployment not predicted: {deploy['error']}")
    for name, bound in facts["worst_case_gas"].items():
        lines.append(f"{name} at most {bound:,} gas" if isinstance(bound, int) else f"{name} {bound}")
    if "proved_functions" in facts:
        lines.append(f"metering shown to be exact in {facts['proved_functions']} functions")
    for line in lines:
        out.print(f"  {line}", markup=False)


def _memory(contract: Contract) -> dict[str, Any]:
    """How far memory may reach, and what that makes of the price of a load.

    `hint` is there where a smaller maximum would be cheaper: the pages it starts with would not cost that much.
    """
    base = contract.rules.schedule
    start, most = contract.initial_pages, contract.most_pages

    def surcharge(pages: int) -> int:
        return base.reaching(pages).opcodes["load32"] - base.opcodes["load32"]

    hint = None
    if surcharge(start) < surcharge(most):
        # The largest memory at the price of the one it starts with.
        enough = min(limit for limit, _ in base.far_memory if limit >= start)
        declared = contract.valid.module.memories[0].limits.maximum
        why = "no maximum is declared" if declared is None else f"a maximum of {declared} pages is declared"
        hint = (
            f"{why}; with one of {_pages(enough)} loads cost {_more(surcharge(enough))}: "
            f"(memory {start} {enough}), --max-memory={enough << 16} of wasm-ld, --maximumMemory {enough} of asc"
        )
    return {
        "initial_pages": start,
        "most_pages": most,
        "load_surcharge_gas": surcharge(most) / PARTICLES_PER_GAS,
        "hint": hint,
    }


def _pages(count: int) -> str:
    return f"{count} page{'s' * (count != 1)}"


def _more(particles: float) -> str:
    return f"{particles / PARTICLES_PER_GAS:g} gas more" if particles else "no more than usual"


def _memory_lines(memory: dict[str, Any]) -> list[str]:
    start, most = memory["initial_pages"], memory["most_pages"]
    reach = f"memory {_pages(start)}" + (f", at most {most}" if most > start else ", never more")
    lines = [f"{reach}: each load costs {_more(memory['load_surcharge_gas'] * PARTICLES_PER_GAS)}"]
    return lines + [f"hint: {memory['hint']}"] * (memory["hint"] is not None)


def _worst_cases(contract: Contract) -> dict[str, int | str]:
    from chain.predict import entry_bounds

    return entry_bounds(contract)


def _deploy_gas(
    file: Path, code: bytes, contract: Contract, rules: Rules, abi_file: Path | None, given: tuple[str, ...]
) -> dict[str, Any]:
    """Gas of the deployment with its parts, or why it cannot be told."""
    from dataclasses import asdict

    from chain.predict import predict_deploy
    from ewasm.initcode import with_arguments, wrap_runtime

    beside = file.with_suffix(".json")
    if abi_file is None and beside.is_file():
        abi_file = beside
    if given and abi_file is None:
        raise click.UsageError(f"--args needs --abi FILE (there is no {beside})")
    kinds = constructor_types(read_abi(abi_file)) if abi_file is not None else []
    if kinds and not given:
        return {"error": f"the constructor takes arguments: say --args ({', '.join(kinds)})"}
    arguments = encode_values(kinds, given, "--args") if given else b""
    if contract.has_deploy:
        data = with_arguments(code, arguments) if arguments else code
    elif arguments:
        raise Failure(f"{file}: constructor arguments need a module that exports a function deploy")
    else:
        data = wrap_runtime(code)
    found = predict_deploy(data, rules)
    if found.error is not None:
        return {"error": found.error}
    return {name: value for name, value in asdict(found).items() if name != "error"}


def _prove(file: Path, contract: Contract, rules: Rules) -> int:
    from ewasm.engine.native import instrument_contract
    from ewasm.metering.prove import Unproven, prove

    metered = instrument_contract(contract, rules)
    try:
        return prove(contract.valid, metered, contract.schedule, stack_height=rules.limits.stack_height)
    except Unproven as error:
        facts = {"file": str(file), "ok": False, "error": str(error)}
        raise Failure(f"{file}: metering not proven: {error}", facts) from None
