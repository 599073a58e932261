"""Who signs a transaction: an account of the node's, a key from the environment, or a keystore file.

A password comes from a file, from `$EWASM_KEYSTORE_PASSWORD` or from a prompt; never from the command line, which other
users of the machine can read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ewasm.cli.files import read_bytes
from ewasm.cli.output import Failure

__all__ = ["signer_options"]

PASSWORD_VARIABLE = "EWASM_KEYSTORE_PASSWORD"  # noqa: S105 - the variable's name


def signer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--from`, `--private-key`, `--keystore`, `--password-file`; it gets `sender` and `private_key`."""
    import functools

    @functools.wraps(command)
    def with_key(
        *arguments: Any,
        private_key: str | None,
        keystore: Path | None,
        password_file: Path | None,
        **options: Any,
    ) -> None:
        if keystore is not None:
            source = click.get_current_context().get_parameter_source("private_key")
            if private_key is not None and source is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError("--keystore and --private-key: one of them, please")
            private_key = _open_keystore(keystore, password_file)
        elif password_file is not None:
            raise click.UsageError("--password-file goes with --keystore")
        command(*arguments, private_key=private_key, **options)

    for option in (
        click.option("--password-file", type=click.Path(path_type=Path), help="First line is the keystore's password."),
        click.option(
            "--keystore",
            type=click.Path(path_type=Path),
            envvar="EWASM_KEYSTORE",
            metavar="FILE",
            help=f"Sign here with this key file (or $EWASM_KEYSTORE); password from --password-file, "
            f"${PASSWORD_VARIABLE} or a prompt.",
        ),
        click.option(
            "--private-key",
            metavar="HEX",
            envvar="EWASM_PRIVATE_KEY",
            help="Sign here with this key; better in $EWASM_PRIVATE_KEY, where nobody else sees it.",
        ),
        click.option("--from", "sender", metavar="ADDRESS", help="Account that sends; the node's first unless given."),
    ):
        with_key = option(with_key)
    return with_key


def _open_keystore(file: Path, password_file: Path | None) -> str:
    """The private key, 0x-hexadecimal."""
    from eth_account import Account

    raw = read_bytes(file)
    try:
        document = json.loads(raw)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("crypto", document.get("Crypto")), dict):
        raise Failure(f"{file}: no keystore: a JSON object with the member crypto is needed")
    try:
        return "0x" + bytes(Account.decrypt(document, _password(file, password_file))).hex()
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        # What the library says of a wrong password, said so that it is understood.
        reason = "wrong password" if "MAC mismatch" in str(error) else f"not a keystore of version 3: {error}"
        raise Failure(f"{file}: {reason}") from None


def _password(file: Path, password_file: Path | None) -> str:
    if password_file is not None:
        return read_bytes(password_file).decode("utf-8", "surrogateescape").split("\n")[0].rstrip("\r")
    found = os.environ.get(PASSWORD_VARIABLE)
    if found is not None:
        return found
    return str(click.prompt(f"Password of {file}", hide_input=True, err=True))
