"""`ewasm cache`: look at compiled contracts on disk, or delete them."""

from __future__ import annotations

from pathlib import Path

import click

from ewasm.cli.output import Failure, console, json_option, print_json

__all__ = ["ARTIFACTS", "cache"]

ARTIFACTS = "artifacts"
"""Folder of a node's data directory that holds compiled contracts."""


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), metavar="DIR", help="Data directory of a node.")
@click.option("--cache-dir", type=click.Path(path_type=Path), metavar="DIR", help="What the node was given as that.")
@click.option("--clear", is_flag=True, help="Delete everything. A node that runs goes on; it compiles again.")
@json_option
def cache(data_dir: Path | None, cache_dir: Path | None, clear: bool, as_json: bool) -> None:
    """Show what a node has kept of compiled contracts, or delete it.

    It is only ever a shortcut: whatever is missing is compiled again.
    """
    if (data_dir is None) == (cache_dir is None):
        raise click.UsageError("say --data-dir or --cache-dir")
    folder = cache_dir if data_dir is None else data_dir / ARTIFACTS
    if folder is None or not folder.is_dir():
        raise Failure(f"no compiled contracts in {folder}")
    from ewasm.engine.store import ArtifactStore, UnusableFolder

    try:
        store = ArtifactStore(folder)
    except UnusableFolder as error:
        raise Failure(str(error)) from None
    entries = list(store.entries())
    facts = {
        "folder": str(folder),
        "artifacts": sum(not entry.is_refusal for entry in entries),
        "refusals": sum(entry.is_refusal for entry in entries),
        "size_bytes": sum(entry.size_bytes for entry in entries),
        "max_bytes": store.max_bytes,
        "cleared": clear,
    }
    if clear:
        store.clear()
    if as_json:
        print_json(facts)
        return
    out = console()
    out.print(f"{'deleted' if clear else 'holds'}    {facts['artifacts']:,} compiled contracts", end="")
    out.print(f", {facts['refusals']:,} that a compiler failed on" if facts["refusals"] else "")
    out.print(f"size     {facts['size_bytes']:,} bytes, at most {facts['max_bytes']:,}")
    out.print(f"folder   {folder}", markup=False)
