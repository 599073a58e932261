"""Commands that talk to a node about contracts: deploy, call, send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ewasm.cli.abi import constructor_types, decode_values, encode_values, parse_signature, read_abi
from ewasm.cli.files import WASM_MAGIC, read_code
from ewasm.cli.options import INTEGER, ArgsCommand, file_argument, rpc_option
from ewasm.cli.output import Failure, console, json_option, print_json
from ewasm.cli.rpc import Rpc, RpcError
from ewasm.errors import ModuleError

__all__ = ["call", "deploy", "send"]


from_option = click.option(
    "--from", "sender", metavar="ADDRESS", help="Account that sends; the node's first unless given."
)
key_option = click.option(
    "--private-key", metavar="HEX", envvar="EWASM_PRIVATE_KEY", help="Sign here with this key (or $EWASM_PRIVATE_KEY)."
)
gas_option = click.option("--gas", type=INTEGER, help="Gas limit; estimated unless given.")
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


def _report(rpc: Rpc, receipt: dict[str, Any]) -> dict[str, Any]:
    """What people want of a receipt, with the split of its gas where the node tells."""
    facts: dict[str, Any] = {
        "transaction": receipt["transactionHash"],
        "status": "success" if receipt["status"] == "0x1" else "failure",
        "block": int(receipt["blockNumber"], 16),
        "gas_used": int(receipt["gasUsed"], 16),
    }
    split = rpc.try_call("ewasm_gasReport", receipt["transactionHash"])
    if isinstance(split, dict):
        facts |= {"gas_instructions": split.get("gasInstructions"), "gas_eei": split.get("gasEei")}
        if split.get("error"):
            facts["error"] = split["error"]
    facts["logs"] = [
        {"address": log["address"], "topics": log["topics"], "data": log["data"]} for log in receipt["logs"]
    ]
    return facts


def _show(facts: dict[str, Any]) -> None:
    out = console()
    for name, value in facts.items():
        if name == "logs":
            for log in value:
                out.print(f"  log of {log['address']}: {' '.join(log['topics'])} {log['data']}", markup=False)
        else:
            out.print(f"{name:17} {format(value, ',') if name.startswith('gas') else value}", markup=False)


def _finish(rpc: Rpc, receipt: dict[str, Any], facts: dict[str, Any], as_json: bool) -> None:
    facts |= _report(rpc, receipt)
    if facts["status"] != "success":
        if not as_json:
            _show(facts)
        raise Failure(
            f"transaction {facts['transaction']} failed in block {facts['block']}", facts if as_json else None
        )
    if as_json:
        print_json(facts)
    else:
        _show(facts)


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
@from_option
@key_option
@rpc_option
@json_option
def deploy(
    file: Path,
    abi_file: Path | None,
    given: tuple[str, ...],
    kind: str,
    value: int,
    gas: int | None,
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
    if abi_file is None and given and beside.is_file():
        abi_file = beside
    if given and abi_file is None:
        raise click.UsageError(f"--args needs --abi FILE (there is no {beside})")
    kinds = constructor_types(read_abi(abi_file)) if abi_file is not None else []
    arguments = encode_values(kinds, given, "--args") if given or kinds else b""
    rpc = _connect(rpc_url)

    data = _creation_data(file, rpc, kind, arguments)
    receipt = _submit(rpc, _hexed(data, value, gas, None), sender, private_key)
    _finish(rpc, receipt, {"address": receipt.get("contractAddress")}, as_json)


@click.command()
@click.argument("address")
@click.argument("signature")
@click.argument("arguments", nargs=-1, metavar="[ARGS]...")
@value_option
@from_option
@gas_option
@click.option("--block", default="latest", show_default=True, help="Block number or tag.")
@rpc_option
@json_option
def call(
    address: str,
    signature: str,
    arguments: tuple[str, ...],
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
    parsed = parse_signature(signature)
    data = parsed.selector + encode_values(parsed.inputs, arguments)
    rpc = _connect(rpc_url)
    request = _hexed(data, value, gas, _address(address, "ADDRESS"))
    if sender is not None:
        request["from"] = _address(sender, "--from")

    tag = hex(int(block, 0)) if block[:1].isdigit() else block
    answer = bytes.fromhex(str(rpc.call("eth_call", request, tag)).removeprefix("0x"))
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
@value_option
@gas_option
@from_option
@key_option
@rpc_option
@json_option
def send(
    address: str,
    signature: str,
    arguments: tuple[str, ...],
    value: int,
    gas: int | None,
    sender: str | None,
    private_key: str | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Call a contract in a transaction: ewasm send ADDRESS 'transfer(address,uint256)' TO AMOUNT

    Sent from an account of the node's own (--from chooses), or signed here with --private-key. Put negative numbers
    behind --.
    """
    parsed = parse_signature(signature)
    data = parsed.selector + encode_values(parsed.inputs, arguments)
    rpc = _connect(rpc_url)
    transaction = _hexed(data, value, gas, _address(address, "ADDRESS"))
    account = None if sender is None else _address(sender, "--from")

    _finish(rpc, _submit(rpc, transaction, account, private_key), {}, as_json)
