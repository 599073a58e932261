"""How commands answer: JSON for programs, rich text for people, one line for a failure."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Failure", "console", "json_option", "print_json"]


class Failure(click.ClickException):
    """The command could not do what was asked: exit code 1.

    Args:
        message: One line: what is wrong, and where.
        facts: The same for `--json`, printed on standard output.
    """

    exit_code = 1

    def __init__(self, message: str, facts: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.facts = facts or {"ok": False, "error": {"message": message}}
        self.as_json = False

    def show(self, file: IO[Any] | None = None) -> None:
        if self.as_json:
            print_json(self.facts)
        click.echo(f"error: {self.message}", err=True, file=file)


def print_json(value: Any) -> None:
    """One JSON document on standard output; bytes become 0x-hexadecimal."""
    click.echo(json.dumps(value, indent=2, default=_plain, ensure_ascii=False))


def _plain(value: object) -> object:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "0x" + bytes(value).hex()
    raise TypeError(f"no JSON for {type(value).__name__}")


@functools.cache
def console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def json_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `--json` as its parameter `as_json`; its failures then speak JSON, too."""

    @functools.wraps(command)
    def checked(*arguments: Any, as_json: bool, **options: Any) -> None:
        try:
            command(*arguments, as_json=as_json, **options)
        except Failure as error:
            error.as_json = as_json
            raise

    return click.option("--json", "as_json", is_flag=True, help="Answer with JSON.")(checked)
