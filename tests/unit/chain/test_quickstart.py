"""What the command leaves out when it starts is there when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# In processes of their own, as each looks at what is imported.
START = """
import sys
import chain.app
from chain.quickstart import import_eth_utils, import_server_only
import_server_only()
import_eth_utils()
import chain.rpc.server
"""
ABSENT = """
curves = ("py_ecc.optimized_bn128.optimized_pairing", "py_ecc.optimized_bls12_381", "py_arkworks_bls12381")
for name in ("pydantic", "rich", *curves):
    assert name not in sys.modules, name
assert "eth_utils.network" not in sys.modules and "eth_typing.networks" not in sys.modules
import ssl
assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
"""
MODELS = """
from eth_utils import CamelModel, applicators
from pydantic import BaseModel
import eth_utils.pydantic
assert issubclass(CamelModel, BaseModel)
assert applicators.CamelModel is CamelModel is eth_utils.CamelModel is eth_utils.pydantic.CamelModel
from eth_typing import URI, ChainId
from eth_utils import Network, name_from_chain_id
assert name_from_chain_id(1) == "Ethereum Mainnet" and ChainId.ETH == 1 and URI("a") == "a"
assert Network.__module__ == "eth_utils.network" and "eth_utils.network" in sys.modules
import eth_typing.networks
assert eth_typing.ChainId is ChainId is eth_typing.networks.ChainId
try:
    eth_utils.nothing
except AttributeError as error:
    assert "nothing" in str(error)
else:
    raise SystemExit("no error")
"""
ACCOUNTS = """
from eth_account import Account
key = b"\\x01" * 32
signed = Account.sign_transaction(
    {"type": 2, "chainId": 1, "nonce": 0, "gas": 21000, "to": b"\\x11" * 20, "value": 1, "maxFeePerGas": 1,
     "maxPriorityFeePerGas": 1}, key)
assert Account.recover_transaction(signed.raw_transaction) == Account.from_key(key).address
"""
CURVES = """
from eth.vm.forks.byzantium.computation import BYZANTIUM_PRECOMPILES
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES

class Computation:
    output = b""
    def __init__(self, data):
        self.msg = type("Message", (), {"data_as_bytes": data, "data": data})
        self.used = 0
    def consume_gas(self, amount, reason):
        self.used += amount

one = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
def run(table, number, data):
    computation = Computation(data)
    table[number.to_bytes(20, "big")](computation)
    return computation.used, computation.output

assert run(BYZANTIUM_PRECOMPILES, 6, one + bytes(64)) == (500, one)
assert run(PRAGUE_PRECOMPILES, 6, one + bytes(64)) == (150, one)
assert run(BYZANTIUM_PRECOMPILES, 7, one + (1).to_bytes(32, "big")) == (40_000, one)
assert run(PRAGUE_PRECOMPILES, 7, one + (1).to_bytes(32, "big")) == (6_000, one)
assert run(BYZANTIUM_PRECOMPILES, 8, b"") == (100_000, (1).to_bytes(32, "big"))
assert run(PRAGUE_PRECOMPILES, 8, b"") == (45_000, (1).to_bytes(32, "big"))
"""


@pytest.mark.parametrize("then", [ABSENT, MODELS, ACCOUNTS, CURVES], ids=["absent", "models", "accounts", "curves"])
def test_a_node_that_has_started(then: str, repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START + then], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
