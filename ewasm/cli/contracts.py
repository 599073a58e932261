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
)
from ewasm.cli.files import WASM_MAGIC, read_code
from ewasm.cli.options import INTEGER, ArgsCommand, file_argument, rpc_option
from ewasm.cli.output import Failure, json_option, print_json
from ewasm.cli.receipts import explained, gas_parts, load_abi, receipt_facts, show_facts
from ewasm.cli.rpc import Rpc, RpcError
from ewasm.cli.signing import signer_options
from ewasm.errors import ModuleError

if TYPE_CHECKING:
    from chain.testing.abi import Abi

__all__ = ["call", "deploy", "send"]


gas_option = click.option("--gas", type=INTEGER, help="Gas limit; estimated unless given.")
abi_option = click.option(
    "--abi",
    "abi_file",
    type=click.Path(path_type=Path),
    help="ABI: function names in place of signatures; events and custom errors in words.",
)
report_option = click.option("--gas-report", is_flag=True, help="Say where the gas went.")
value_option = click.option("--value", type=INTEGER, default=0, help="Wei to send along.")


def _connect(url: str) -> Rpc:
    """A client that is closed when the command ends."""
    rpc = Rpc(url)
    click.get_current_context().call_on_close(rpc.close)
    return rpc


def _address(text: str, hint: str) -> str:
    digits = text.removeprefix("0x")
    try:
        known = len(bytes.fromhex(digits)) == 20 and len(digits) == 40
    except ValueError:
        known = False
    if not known:
        raise click.BadParameter(f"{text!r} is not an address: 0x and 40 hexadecimal digits", param_hint=hint)
    return "0x" + digits


def _submit(rpc: Rpc, transaction: dict[str, Any], sender: str | None, private_key: str | None) -> dict[str, Any]:
    """Send a transaction and return its receipt (as JSON-RPC has it)."""
    if private_key is not None:
        transaction_hash = _sign_and_send(rpc, transaction, private_key)
    else:
        if sender is None:
            accounts = rpc.call("eth_accounts")
            if not accounts:
                raise Failure("the node has no account of its own: say --private-key")
            sender = accounts[0]
        transaction_hash = rpc.call("eth_sendTransaction", {**transaction, "from": sender})
    return _receipt(rpc, transaction_hash)


def _receipt(rpc: Rpc, transaction_hash: str) -> dict[str, Any]:
    """Waits for nodes that mine by the clock."""
    import time

    for _ in range(240):
        receipt = rpc.call("eth_getTransactionReceipt", transaction_hash)
        if receipt is not None:
            return dict(receipt)
        time.sleep(0.25)
    raise Failure(f"{transaction_hash} was sent, but not mined within a minute")


def _sign_and_send(rpc: Rpc, transaction: dict[str, Any], private_key: str) -> str:
    from eth_account import Account

    try:
        account = Account.from_key(private_key)
    except ValueError:
        # Not chained: what the library says may hold the key.
        raise click.BadParameter(
            "not a private key: 0x and 64 hexadecimal digits", param_hint="--private-key"
        ) from None
    fields: dict[str, Any] = {key: value for key, value in transaction.items() if key != "gas"}
    gas = transaction.get("gas") or rpc.call("eth_estimateGas", {**fields, "from": account.address})
    fields |= {
        "gas": gas,
        "nonce": rpc.call("eth_getTransactionCount", account.address, "pending"),
        "chainId": rpc.call("eth_chainId"),
        "gasPrice": rpc.call("eth_gasPrice"),
    }
    if "to" in fields:
        from eth_utils.address import to_checksum_address

        fields["to"] = to_checksum_address(fields["to"])
    signed = account.sign_transaction(fields)
    return str(rpc.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()))


def _hexed(data: bytes, value: int, gas: int | None, to: str | None) -> dict[str, Any]:
    transaction: dict[str, Any] = {"data": "0x" + data.hex(), "value": hex(value)}
    if gas is not None:
        transaction["gas"] = hex(gas)
    if to is not None:
        transaction["to"] = to
    return transaction


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


def _creation_data(file: Path, rpc: Rpc, kind: str, arguments: bytes) -> bytes:
    """Transaction data that creates the contract in `file` (see `ewasm.initcode`)."""
    from ewasm.initcode import with_arguments, wrap_runtime
    from ewasm.wasm.decode import decode

    code = read_code(file)
    if not code:
        raise Failure(f"{file}: the file is empty")
    if not code.startswith(WASM_MAGIC):
        return (wrap_runtime(code) if kind == "runtime" else code) + (b"" if kind == "runtime" else arguments)
    try:
        module = decode(code)
    except ModuleError as error:
        raise Failure(f"{file}: {error}", {"ok": False, "error": error.as_dict()}) from None
    if any(export.name == "deploy" for export in module.exports):
        return with_arguments(code, arguments) if arguments else code
    if arguments:
        raise Failure(f"{file}: constructor arguments need a module that exports a function deploy")
    if kind == "auto":
        kind = "init" if _is_init_module(rpc, code) else "runtime"
    return code if kind == "init" else wrap_runtime(code)


def _is_init_module(rpc: Rpc, code: bytes) -> bool:
    """An init module returns code when it runs on nothing; a contract's own main hardly returns a module."""
    try:
        answer = rpc.call("eth_call", {"data": "0x" + code.hex()}, "latest")
    except RpcError:
        return False
    return bytes.fromhex(str(answer).removeprefix("0x")).startswith(WASM_MAGIC)


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
@value_option
@gas_option
@report_option
@signer_options
@rpc_option
@json_option
def deploy(
    file: Path,
    abi_file: Path | None,
    given: tuple[str, ...],
    kind: str,
    value: int,
    gas: int | None,
    gas_report: bool,
    sender: str | None,
    private_key: str | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Deploy a contract: a module (.wasm, .wat) or EVM init code (.bin).

    A module that exports deploy is its own constructor and gets the arguments; any other is wrapped in an init module
    that returns it, unless it is one itself.
    """
    beside = file.with_suffix(".json")
    named = abi_file is not None
    if abi_file is None and beside.is_file():
        abi_file = beside
    if given and abi_file is None:
        raise click.UsageError(f"--args needs --abi FILE (there is no {beside})")
    raw = read_abi(abi_file) if abi_file is not None else []
    kinds = constructor_types(raw)
    # An ABI that merely lies beside the file asks for no arguments: the file may be init code that has its own.
    wanted = given or (kinds if named else [])
    arguments = encode_values(kinds, given, "--args", constructor_names(raw)) if wanted else b""
    rpc, abi = _connect(rpc_url), load_abi(abi_file)

    data = _creation_data(file, rpc, kind, arguments)
    with _explaining(abi):
        receipt = _submit(rpc, _hexed(data, value, gas, None), sender, private_key)
    address = {"address": receipt.get("contractAddress")}
    _finish(rpc, receipt, address, abi, data if gas_report else None, as_json)


@click.command()
@click.argument("address")
@click.argument("signature")
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@abi_option
@value_option
@click.option("--from", "sender", metavar="ADDRESS", help="Account that calls; the zero address unless given.")
@gas_option
@click.option("--block", default="latest", show_default=True, help="Block number or tag.")
@rpc_option
@json_option
def call(
    address: str,
    signature: str,
    arguments: tuple[str, ...],
    abi_file: Path | None,
    value: int,
    sender: str | None,
    gas: int | None,
    block: str,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Call a contract without a transaction: ewasm call ADDRESS 'balanceOf(address)(uint256)' OWNER

    The second list of types says how to read what comes back; without it, the answer is printed as hexadecimal. Put
    negative numbers behind --.
    """
    parsed = find_signature(signature, abi_file, len(arguments))
    data = parsed.selector + encode_values(parsed.inputs, arguments, names=parsed.names)
    rpc = _connect(rpc_url)
    request = _hexed(data, value, gas, _address(address, "ADDRESS"))
    if sender is not None:
        request["from"] = _address(sender, "--from")

    tag = hex(int(block, 0)) if block[:1].isdigit() else block
    with _explaining(load_abi(abi_file)):
        answer = bytes.fromhex(str(rpc.call("eth_call", request, tag)).removeprefix("0x"))
    if not answer and parsed.outputs and str(rpc.call("eth_getCode", request["to"], tag)) == "0x":
        raise Failure(f"there is no contract at {request['to']}")
    values = decode_values(parsed.outputs, answer) if parsed.outputs else []
    if as_json:
        print_json({"raw": answer, "values": values})
    elif parsed.outputs:
        for item in values:
            click.echo(item if isinstance(item, str) else json.dumps(item))
    else:
        click.echo("0x" + answer.hex())


@click.command()
@click.argument("address")
@click.argument("signature")
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@abi_option
@value_option
@gas_option
@report_option
@signer_options
@rpc_option
@json_option
def send(
    address: str,
    signature: str,
    arguments: tuple[str, ...],
    abi_file: Path | None,
    value: int,
    gas: int | None,
    gas_report: bool,
    sender: str | None,
    private_key: str | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Call a contract in a transaction: ewasm send ADDRESS 'transfer(address,uint256)' TO AMOUNT

    Sent from an account of the node's own (--from chooses), or signed here with a key (--keystore, or
    $EWASM_PRIVATE_KEY). With --abi a function's name will do. Put negative numbers behind --.
    """
    parsed = find_signature(signature, abi_file, len(arguments))
    data = parsed.selector + encode_values(parsed.inputs, arguments, names=parsed.names)
    rpc = _connect(rpc_url)
    transaction = _hexed(data, value, gas, _address(address, "ADDRESS"))
    account = None if sender is None else _address(sender, "--from")

    abi = load_abi(abi_file)
    with _explaining(abi):
        receipt = _submit(rpc, transaction, account, private_key)
    _finish(rpc, receipt, {}, abi, data if gas_report else None, as_json)
