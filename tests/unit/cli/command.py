"""Run the command in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from unittest import mock

from ewasm.cli import main

__all__ = ["ewasm"]


def ewasm(*arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `ewasm ARGUMENTS`."""
    from ewasm.cli import output

    out, errors = io.StringIO(), io.StringIO()
    code: object = 0
    output.console.cache_clear()
    standard_input = io.TextIOWrapper(io.BytesIO(stdin))
    with (
        mock.patch.object(sys, "stdin", standard_input),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    return int(str(code or 0)), out.getvalue(), errors.getvalue()
