"""`python -m ewasm.cli` is `ewasm`."""

from ewasm.cli import main

main()
