"""Commands that talk to a node about contracts: deploy, call, send."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ewasm.cli.abi import (
    constructor_names,
    constructor_types,
    decode_values,
    encode_values,
    find_signature,
    read_abi,
    read_artifact_code,
)
from ewasm.cli.files import WASM_MAGIC, read_code
from ewasm.cli.options import HEX, INTEGER, ArgsCommand, file_argument, rpc_option
from ewasm.cli.output import Failure, json_option, print_json
from ewasm.cli.receipts import explained, gas_parts, load_abi, receipt_facts, show_facts
from ewasm.cli.rpc import Rpc, RpcError
from ewasm.cli.transactions import WEI, Sending, connect, parse_address, request, sending_options, submit
from ewasm.errors import ModuleError

if TYPE_CHECKING:
    from chain.testing.abi import Abi
    from ewasm.cli.abi import Signature

__all__ = ["call", "deploy", "send"]

PRECOMPILE_LIMIT = 0x200
"""Addresses below have no code and may answer all the same."""

abi_option = click.option(
    "--abi",
    "abi_file",
    type=click.Path(path_type=Path),
    help="ABI, or a compiler's JSON that holds one: function names in place of signatures; events, errors in words.",
)
data_option = click.option("--data", "raw", type=HEX, help="Call data as they are, in place of SIGNATURE and ARGS.")
report_option = click.option("--gas-report", is_flag=True, help="Say where the gas went.")


def _finish(
    rpc: Rpc, receipt: dict[str, Any], facts: dict[str, Any], abi: Abi | None, data: bytes | None, as_json: bool
) -> None:
    """Say what became of it; `data` of the transaction asks for a gas report."""
    facts |= receipt_facts(rpc, receipt, abi)
    if data is not None:
        facts["gas_report"] = gas_parts(rpc, receipt, data)
    if facts["status"] != "success":
        if not as_json:
            show_facts(facts)
        why = facts.get("reason") or facts.get("error")
        text = f"transaction {facts['transaction']} failed in block {facts['block']}"
        raise Failure(f"{text}: {why}" if why else text, facts if as_json else None)
    if as_json:
        print_json(facts)
    else:
        show_facts(facts)


@contextlib.contextmanager
def _explaining(abi: Abi | None) -> Iterator[None]:
    """Reverts inside name the ABI's custom errors."""
    try:
        yield
    except RpcError as error:
        raise explained(error, abi) from None


def _creation_data(file: Path, code: bytes, rpc: Rpc, kind: str, arguments: bytes) -> bytes:
    """Transaction data that creates the contract in `file` (see `ewasm.initcode`)."""
    from ewasm.initcode import with_arguments, wrap_runtime

    if not code.startswith(WASM_MAGIC):
        if kind != "runtime":
            return code + arguments
        if arguments:
            raise Failure(f"{file}: constructor arguments need init code, not --kind runtime")
        return wrap_runtime(code)
    if _sections(file, code)[0]:
        return with_arguments(code, arguments) if arguments else code
    if arguments:
        raise Failure(f"{file}: constructor arguments need a module that exports a function deploy")
    if kind == "auto":
        kind = "init" if _is_init_module(rpc, code) else "runtime"
    return code if kind == "init" else wrap_runtime(code)


def _sections(file: Path, code: bytes) -> tuple[bool, bool]:
    """Of a module: does it export `deploy`, does it carry constructor arguments already?"""
    from ewasm.contract import ARGUMENTS_SECTION
    from ewasm.wasm.decode import decode

    try:
        module = decode(code)
    except ModuleError as error:
        raise Failure(f"{file}: {error}", {"ok": False, "error": error.as_dict()}) from None
    exports_deploy = any(export.name == "deploy" for export in module.exports)
    return exports_deploy, any(section.name == ARGUMENTS_SECTION for section in module.customs)


def _is_init_module(rpc: Rpc, code: bytes) -> bool:
    """An init module returns code when it runs on nothing; a contract's own main hardly returns a module."""
    try:
        answer = rpc.call("eth_call", {"data": "0x" + code.hex()}, "latest")
    except RpcError:
        return False
    return bytes.fromhex(str(answer).removeprefix("0x")).startswith(WASM_MAGIC)


def _wants_arguments(file: Path, code: bytes, named: bool) -> bool:
    """Whether a constructor's parameters have to be given.

    An ABI that merely lies beside the file asks nothing of init code, which may have its arguments inside.
    """
    if not code.startswith(WASM_MAGIC):
        return named
    exports_deploy, has_arguments = _sections(file, code)
    return exports_deploy and not has_arguments


@click.command(cls=ArgsCommand)
@file_argument
@click.option(
    "--abi",
    "abi_file",
    type=click.Path(path_type=Path),
    help="ABI; FILE with .json in place of its ending unless given.",
)
@click.option(
    "--args", "given", multiple=True, metavar="VALUE...", help="Constructor arguments, up to the next option."
)
@click.option(
    "--kind",
    type=click.Choice(("auto", "init", "runtime")),
    default="auto",
    help="What FILE is, where it exports no deploy: init code to run, or the contract itself. auto asks the node.",
)
@report_option
@rpc_option
@json_option
@sending_options
def deploy(
    file: Path,
    abi_file: Path | None,
    given: tuple[str, ...],
    kind: str,
    gas_report: bool,
    sending: Sending,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Deploy a contract: a module (.wasm, .wat), EVM init code (.bin), or a compiler's .json with ABI and bytecode.

    A module that exports deploy is its own constructor and gets the arguments; any other is wrapped in an init module
    that returns it, unless it is one itself.
    """
    is_artifact = file.suffix == ".json"
    code = read_artifact_code(file) if is_artifact else read_code(file)
    if not code:
        raise Failure(f"{file}: the file is empty")
    named = abi_file is not None or is_artifact
    beside = file.with_suffix(".json")
    if abi_file is None and beside.is_file():
        abi_file = beside
    if given and abi_file is None:
        raise click.UsageError(f"--args needs --abi FILE (there is no {beside})")
    raw = read_abi(abi_file) if abi_file is not None else []
    kinds = constructor_types(raw)
    wanted = bool(given) or (bool(kinds) and _wants_arguments(file, code, named))
    arguments = encode_values(kinds, given, "--args", constructor_names(raw)) if wanted else b""
    rpc, abi = connect(rpc_url), load_abi(abi_file)

    data = _creation_data(file, code, rpc, kind, arguments)
    with _explaining(abi):
        receipt = submit(rpc, data, None, sending)
    address = {"address": receipt.get("contractAddress")}
    _finish(rpc, receipt, address, abi, data if gas_report else None, as_json)


def _call_data(
    signature: str | None, arguments: tuple[str, ...], raw: bytes | None, abi_file: Path | None
) -> tuple[Signature | None, bytes]:
    """What SIGNATURE and ARGS, or --data, say."""
    if raw is not None:
        if signature is not None:
            raise click.UsageError("--data and SIGNATURE: one of them, please")
        return None, raw
    if signature is None:
        raise click.UsageError("say what to call: SIGNATURE and ARGS, or --data HEX")
    parsed = find_signature(signature, abi_file, len(arguments))
    return parsed, parsed.selector + encode_values(parsed.inputs, arguments, names=parsed.names)


def _is_nobody(rpc: Rpc, address: str, tag: str) -> bool:
    """No contract, and none that is built in."""
    return int(address, 16) >= PRECOMPILE_LIMIT and str(rpc.call("eth_getCode", address, tag)) == "0x"


@click.command()
@click.argument("address")
@click.argument("signature", required=False)
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@abi_option
@data_option
@click.option("--value", type=WEI, default=0, metavar="WEI", help="Wei to send along: 1000, 2gwei, 0.5ether.")
@click.option("--from", "sender", metavar="ADDRESS", help="Account that calls; the zero address unless given.")
@click.option("--gas", type=INTEGER, help="Gas limit; as much as the node allows unless given.")
@click.option("--block", default="latest", show_default=True, help="Block number or tag.")
@rpc_option
@json_option
def call(
    address: str,
    signature: str | None,
    arguments: tuple[str, ...],
    abi_file: Path | None,
    raw: bytes | None,
    value: int,
    sender: str | None,
    gas: int | None,
    block: str,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Call a contract without a transaction: ewasm call ADDRESS 'balanceOf(address)(uint256)' OWNER

    The second list of types says how to read what comes back; without it (and without --abi), the answer is printed as
    hexadecimal. Put negative numbers behind --.
    """
    parsed, data = _call_data(signature, arguments, raw, abi_file)
    transaction = request(data, value, gas, parse_address(address, "ADDRESS"))
    if sender is not None:
        transaction["from"] = parse_address(sender, "--from")
    rpc, abi = connect(rpc_url), load_abi(abi_file)

    tag = _tag(block)
    with _explaining(abi):
        answer = bytes.fromhex(str(rpc.call("eth_call", transaction, tag)).removeprefix("0x"))
    if parsed is not None and not answer and _is_nobody(rpc, transaction["to"], tag):
        raise Failure(f"there is no contract at {transaction['to']}")
    outputs = parsed.outputs if parsed is not None else ()
    values = decode_values(outputs, answer) if outputs else []
    if as_json:
        print_json({"raw": answer, "values": values})
    elif outputs:
        for item in values:
            click.echo(item if isinstance(item, str) else json.dumps(item))
    else:
        click.echo("0x" + answer.hex())


def _tag(block: str) -> str:
    if not block[:1].isdigit():
        return block
    try:
        return hex(int(block, 0))
    except ValueError:
        raise click.BadParameter(
            f"{block!r} is no block: a number, or a tag such as latest", param_hint="--block"
        ) from None


@click.command()
@click.argument("address")
@click.argument("signature", required=False)
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@abi_option
@data_option
@report_option
@rpc_option
@json_option
@sending_options
def send(
    address: str,
    signature: str | None,
    arguments: tuple[str, ...],
    abi_file: Path | None,
    raw: bytes | None,
    gas_report: bool,
    sending: Sending,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Call a contract in a transaction: ewasm send ADDRESS 'transfer(address,uint256)' TO AMOUNT

    Sent from an account of the node's own (--from chooses), or signed here with a key (--keystore, or
    $EWASM_PRIVATE_KEY). With --abi a function's name will do; with --data 0x only the value goes. Put negative numbers
    behind --.
    """
    parsed, data = _call_data(signature, arguments, raw, abi_file)
    to = parse_address(address, "ADDRESS")
    rpc, abi = connect(rpc_url), load_abi(abi_file)
    if parsed is not None and _is_nobody(rpc, to, "latest"):
        raise Failure(f"there is no contract at {to}")

    with _explaining(abi):
        receipt = submit(rpc, data, to, sending)
    _finish(rpc, receipt, {}, abi, data if gas_report else None, as_json)
