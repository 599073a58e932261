"""`ewasm fill`: state-test files from readable sources."""

from __future__ import annotations

from pathlib import Path

import click

from ewasm.cli.output import Failure

__all__ = ["fill"]


@click.command()
@click.argument("source", type=click.Path(path_type=Path), metavar="SOURCE")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write (a folder, if SOURCE is one); beside the source unless given.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail where a file is not what its source gives.")
@click.option("-v", "--verbose", is_flag=True, help="Name each test before it runs.")
def fill(source: Path, output: Path | None, check: bool, verbose: bool) -> None:
    """Fill a state-test file from SOURCE (.yml), or one from each in a folder.

    Each test runs on the interpreter and the native engine; nothing is written where they differ, or where what the
    source expects does not come true. The format stands in fixtures/README.md.
    """
    from chain.errors import ChainError
    from chain.fixtures.fill import fill as fill_source
    from chain.stack import run_with_stack

    note = (lambda test: click.echo(f"{source}: {test.name}")) if verbose else None
    wrong = 0
    for file, target in _targets(source, output):
        try:
            text = run_with_stack(lambda file=file: fill_source(file, note=note))  # type: ignore[misc]
        except ChainError as error:
            raise Failure(str(error)) from None
        try:
            same = target.is_file() and target.read_text(encoding="utf-8") == text
            if not same and not check:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failure(f"{target}: {error.strerror or error}") from None
        click.echo(f"{target}: {'unchanged' if same else 'differs' if check else 'written'}")
        wrong += check and not same
    if wrong:
        raise click.exceptions.Exit(1)


def _targets(source: Path, output: Path | None) -> list[tuple[Path, Path]]:
    """Sources with the files they give. A source without cases is for others to include."""
    if not source.is_dir():
        return [(source, output or source.with_suffix(".json"))]
    if output is not None and output.is_file():
        raise Failure(f"{output}: must be a folder, since {source} is one")
    found = sorted(path for path in source.rglob("*") if path.suffix in (".yml", ".yaml") and _has_cases(path))
    if not found:
        raise Failure(f"{source}: no source with cases (.yml) in this folder or below")
    folder = output or source
    return [(path, folder / path.relative_to(source).with_suffix(".json")) for path in found]


def _has_cases(path: Path) -> bool:
    from chain.fixtures.yaml_tree import FillError, read_yaml

    try:
        top = read_yaml(path).value
    except FillError as error:
        raise Failure(str(error)) from None
    return isinstance(top, dict) and "cases" in top
