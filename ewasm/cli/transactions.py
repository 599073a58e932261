"""Transactions of the commands deploy and send: their options, and the way to a receipt."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from ewasm.cli.options import INTEGER
from ewasm.cli.output import Failure
from ewasm.cli.rpc import Rpc
from ewasm.cli.signing import signer_options

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["WEI", "Sending", "connect", "parse_address", "request", "sending_options", "submit"]

UNITS = {"wei": 0, "gwei": 9, "ether": 18}
MINED_LIMIT_S, POLL_S = 60, 0.25


class _Wei(click.ParamType[int]):
    """An amount: wei, or a number with its unit."""

    name = "wei"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9._]+) ?(wei|gwei|ether)", str(value))
        if found is None:
            return INTEGER.convert(value, param, ctx)
        try:
            amount = Decimal(found[1]).scaleb(UNITS[found[2]])
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount such as 1000, 2gwei or 0.5ether", param, ctx)
        if amount != int(amount):
            self.fail(f"{value!r} is no whole number of wei", param, ctx)
        return int(amount)


WEI = _Wei()


@dataclass(frozen=True, slots=True)
class Sending:
    """What a transaction says beside its data; amounts in wei, None where the node or the account decides."""

    sender: str | None
    signer: LocalAccount | None
    value: int
    gas: int | None
    nonce: int | None
    gas_price: int | None
    priority_fee: int | None


def sending_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a transaction; it gets them as `sending`."""

    @functools.wraps(command)
    def with_sending(
        *arguments: Any,
        sender: str | None,
        private_key: str | None,
        value: int,
        gas: int | None,
        nonce: int | None,
        gas_price: int | None,
        priority_fee: int | None,
        **options: Any,
    ) -> None:
        account = None if sender is None else parse_address(sender, "--from")
        signer = None if private_key is None else _signer(private_key)
        if signer is not None and account is not None and account.lower() != signer.address.lower():
            raise click.UsageError(f"--from {account}, but the key is that of {signer.address}")
        sending = Sending(account, signer, value, gas, nonce, gas_price, priority_fee)
        command(*arguments, sending=sending, **options)

    described: Callable[..., None] = signer_options(with_sending)
    for option in (
        click.option("--priority-fee", type=WEI, metavar="WEI", help="Tip a gas (EIP-1559)."),
        click.option("--gas-price", type=WEI, metavar="WEI", help="Price of gas; with --priority-fee the most to pay."),
        click.option("--nonce", type=INTEGER, help="Nonce; the account's next unless given."),
        click.option("--gas", type=INTEGER, help="Gas limit; estimated unless given."),
        click.option("--value", type=WEI, default=0, metavar="WEI", help="Wei to send along: 1000, 2gwei, 0.5ether."),
    ):
        described = option(described)
    return described


def _signer(private_key: str) -> LocalAccount:
    from eth_account import Account

    try:
        signer: LocalAccount = Account.from_key(private_key)
    except ValueError:
        # Not chained: what the library says may hold the key.
        raise click.BadParameter(
            "not a private key: 0x and 64 hexadecimal digits", param_hint="--private-key"
        ) from None
    return signer


def connect(url: str) -> Rpc:
    """A client that is closed when the command ends."""
    rpc = Rpc(url)
    click.get_current_context().call_on_close(rpc.close)
    return rpc


def parse_address(text: str, hint: str) -> str:
    """`0x` and 40 digits; a usage error for anything else, and where capitals are there and mean a typing error."""
    digits = text.removeprefix("0x")
    if not re.fullmatch("[0-9a-fA-F]{40}", digits):
        raise click.BadParameter(f"{text!r} is not an address: 0x and 40 hexadecimal digits", param_hint=hint)
    if digits not in (digits.lower(), digits.upper()):
        from eth_utils.address import is_checksum_address

        if not is_checksum_address("0x" + digits):
            raise click.BadParameter(
                f"{text!r} is mistyped: its capitals are a checksum, and do not fit (EIP-55); all small is accepted",
                param_hint=hint,
            )
    return "0x" + digits


def request(data: bytes, value: int = 0, gas: int | None = None, to: str | None = None) -> dict[str, Any]:
    """A transaction as JSON-RPC wants it."""
    transaction: dict[str, Any] = {"data": "0x" + data.hex(), "value": hex(value)}
    if gas is not None:
        transaction["gas"] = hex(gas)
    if to is not None:
        transaction["to"] = to
    return transaction


def submit(rpc: Rpc, data: bytes, to: str | None, sending: Sending) -> dict[str, Any]:
    """Send a transaction and return its receipt (as JSON-RPC has it)."""
    transaction = request(data, sending.value, sending.gas, to)
    if sending.nonce is not None:
        transaction["nonce"] = hex(sending.nonce)
    transaction |= _fees(rpc, sending)
    if sending.signer is not None:
        return _receipt(rpc, _sign_and_send(rpc, transaction, sending.signer))
    sender = sending.sender
    if sender is None:
        accounts = rpc.call("eth_accounts")
        if not accounts:
            raise Failure("the node has no account of its own: say --keystore or --private-key")
        sender = accounts[0]
    return _receipt(rpc, rpc.call("eth_sendTransaction", {**transaction, "from": sender}))


def _fees(rpc: Rpc, sending: Sending) -> dict[str, str]:
    if sending.priority_fee is None:
        return {} if sending.gas_price is None else {"gasPrice": hex(sending.gas_price)}
    most = sending.gas_price
    if most is None:
        base = rpc.call("eth_getBlockByNumber", "latest", False).get("baseFeePerGas")
        if base is None:
            raise Failure("--priority-fee: the chain has no base fee (EIP-1559 came with London); use --gas-price")
        most = 2 * int(base, 16) + sending.priority_fee
    return {"maxFeePerGas": hex(most), "maxPriorityFeePerGas": hex(sending.priority_fee)}


def _receipt(rpc: Rpc, transaction_hash: str) -> dict[str, Any]:
    """Waits for nodes that mine by the clock."""
    import time

    for _ in range(int(MINED_LIMIT_S / POLL_S)):
        receipt = rpc.call("eth_getTransactionReceipt", transaction_hash)
        if receipt is not None:
            return dict(receipt)
        time.sleep(POLL_S)
    raise Failure(f"{transaction_hash} was sent, but not mined within a minute")


def _sign_and_send(rpc: Rpc, transaction: dict[str, Any], signer: LocalAccount) -> str:
    fields = {**transaction}
    if "gas" not in fields:
        fields["gas"] = rpc.call("eth_estimateGas", {**fields, "from": signer.address})
    if "nonce" not in fields:
        fields["nonce"] = rpc.call("eth_getTransactionCount", signer.address, "pending")
    if "maxFeePerGas" not in fields and "gasPrice" not in fields:
        fields["gasPrice"] = rpc.call("eth_gasPrice")
    fields["chainId"] = rpc.call("eth_chainId")
    if "to" in fields:
        from eth_utils.address import to_checksum_address

        fields["to"] = to_checksum_address(fields["to"])
    signed = signer.sign_transaction(fields)
    return str(rpc.call("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex()))
