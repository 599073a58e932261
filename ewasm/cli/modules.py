"""Commands that look at a module without running it: check, wat, wasm, instrument."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ewasm.cli.files import WASM_MAGIC, assemble_text, read_bytes, read_module, write_bytes
from ewasm.cli.options import file_argument, rules_option, with_schedule
from ewasm.cli.output import Failure, console, json_option, print_json
from ewasm.errors import ModuleError
from ewasm.rules import Rules

if TYPE_CHECKING:
    from ewasm.contract import Contract

__all__ = ["check", "instrument", "wasm", "wat"]

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Where to write; - is standard output."
)


def _refused(file: Path, error: ModuleError) -> Failure:
    facts = {"message": str(error), **error.as_dict()}
    return Failure(f"{file}: {error}", {"file": str(file), "ok": False, "error": facts})


@click.command()
@file_argument
@rules_option
@click.option("--prove", "proved", is_flag=True, help="Also show that injected metering charges exactly what it must.")
@json_option
def check(file: Path, rules: Rules, proved: bool, as_json: bool) -> None:
    """Would a node accept this module as a contract?

    Decodes, validates and holds FILE (.wasm or .wat) against the contract interface. A refusal names the rule, the
    section, the function, the byte offset and what to do about it.
    """
    from ewasm.contract import check as check_contract

    code = read_module(file)
    try:
        contract = check_contract(code, rules)
    except ModuleError as error:
        raise _refused(file, error) from None
    module = contract.valid.module
    facts = {
        "file": str(file),
        "ok": True,
        "rules": rules.name,
        "size_bytes": len(code),
        "functions": len(module.functions),
        "imports": [f"{item.module}.{item.name}" for item in module.imports],
        "exports": [item.name for item in module.exports],
        "memory_pages": [memory.limits.minimum for memory in module.memories],
        "activation_gas": rules.activation_gas(code),
    }
    if proved:
        facts["proved_functions"] = _prove(file, contract, rules)
    if as_json:
        print_json(facts)
        return
    out = console()
    out.print(f"[green]ok[/green] {file} is a contract under {rules.name}", markup=True)
    out.print(
        f"  {len(code):,} bytes, {len(module.functions)} functions, exports {', '.join(e.name for e in module.exports)}"
    )
    out.print(f"  imports {', '.join(f'{i.module}.{i.name}' for i in module.imports) or 'nothing'}")
    if proved:
        out.print(f"  metering shown to be exact in {facts['proved_functions']} functions")


def _prove(file: Path, contract: Contract, rules: Rules) -> int:
    from ewasm.engine.native import instrument_contract
    from ewasm.metering.prove import Unproven, prove

    metered = instrument_contract(contract, rules)
    try:
        return prove(contract.valid, metered, rules.schedule, stack_height=rules.limits.stack_height)
    except Unproven as error:
        facts = {"file": str(file), "ok": False, "error": str(error)}
        raise Failure(f"{file}: metering not proven: {error}", facts) from None


@click.command()
@file_argument
def wat(file: Path) -> None:
    """Disassemble a module to WebAssembly text on standard output."""
    from ewasm.wasm.decode import decode
    from ewasm.wasm.text import disassemble

    try:
        click.echo(disassemble(decode(read_module(file))))
    except ModuleError as error:
        raise _refused(file, error) from None


@click.command()
@file_argument
@output_option
def wasm(file: Path, output: Path) -> None:
    """Assemble WebAssembly text to a module."""
    source = read_bytes(file)
    if source.startswith(WASM_MAGIC):
        raise Failure(f"{file}: this is a binary module already")
    write_bytes(output, assemble_text(file, source))


@click.command()
@file_argument
@output_option
@rules_option
@click.option("--schedule", metavar="NAME", help="Gas schedule instead of the rules' own.")
def instrument(file: Path, output: Path, rules: Rules, schedule: str | None) -> None:
    """Write the module as the native engine compiles it, with gas and stack height counted inside."""
    from ewasm.contract import check as check_contract
    from ewasm.engine.native import instrument_contract
    from ewasm.wasm.encode import encode

    if schedule is not None:
        rules = with_schedule(rules, schedule)
    try:
        contract = check_contract(read_module(file), rules)
    except ModuleError as error:
        raise _refused(file, error) from None
    write_bytes(output, encode(instrument_contract(contract, rules).module))
