"""Commands that turn modules into other forms: wat, wasm, instrument."""

from __future__ import annotations

from pathlib import Path

import click

from ewasm.cli.check import refused
from ewasm.cli.files import WASM_MAGIC, assemble_text, read_bytes, read_module, write_bytes
from ewasm.cli.options import file_argument, rules_option, with_schedule
from ewasm.cli.output import Failure
from ewasm.errors import ModuleError
from ewasm.rules import Rules

__all__ = ["instrument", "wasm", "wat"]

output_option = click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Where to write; - is standard output."
)


@click.command()
@file_argument
def wat(file: Path) -> None:
    """Disassemble a module to WebAssembly text on standard output."""
    from ewasm.wasm.decode import decode
    from ewasm.wasm.text import disassemble

    try:
        click.echo(disassemble(decode(read_module(file))))
    except ModuleError as error:
        raise refused(file, error) from None


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
        raise refused(file, error) from None
    write_bytes(output, encode(instrument_contract(contract, rules).module))
