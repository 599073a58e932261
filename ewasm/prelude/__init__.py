"""The half of the EEI that needs no chain state, and all of `bignum`, as Wasm.

`*.wat` is the code; `link` puts what a contract imports into its instrumented module; `environment` is what the host
writes for it before a frame starts. The interpreter never uses any of this: it has the same functions in Python
(`ewasm.eei`), so the two check each other.
"""

from ewasm.prelude.environment import BEYOND_BUFFER, OUT_OF_RANGE, Environment
from ewasm.prelude.link import ENVIRONMENT_EXPORT, LinkedModule, link
from ewasm.prelude.source import Prelude, load_prelude

__all__ = [
    "BEYOND_BUFFER",
    "ENVIRONMENT_EXPORT",
    "OUT_OF_RANGE",
    "Environment",
    "LinkedModule",
    "Prelude",
    "link",
    "load_prelude",
]
