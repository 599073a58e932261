"""Derivation and signatures, against eth-account."""

from __future__ import annotations

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_defunct, encode_typed_data

from chain.accounts import (
    BadMnemonic,
    account_from_key,
    checksum_address,
    derive_accounts,
    sign_message,
    sign_typed_data,
)

TYPED_DATA = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Mail": [{"name": "to", "type": "address"}, {"name": "text", "type": "string"}],
    },
    "primaryType": "Mail",
    "domain": {"name": "Post", "chainId": 31337},
    "message": {"to": "0x" + "11" * 20, "text": "hello"},
}


def test_default_mnemonic_gives_the_well_known_accounts() -> None:
    accounts = derive_accounts()
    assert len(accounts) == 10
    assert checksum_address(accounts[0].address) == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert accounts[0].private_key.hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert checksum_address(accounts[9].address) == "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"


@pytest.mark.parametrize(
    "mnemonic",
    [
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
        "  letter advice cage   absurd amount doctor acoustic avoid letter advice cage above ",
    ],
)
def test_any_mnemonic_derives_as_eth_account_does(mnemonic: str) -> None:
    EthAccount.enable_unaudited_hdwallet_features()
    for account in derive_accounts(mnemonic, 3):
        assert account.path is not None
        other = EthAccount.from_mnemonic(" ".join(mnemonic.split()), account_path=account.path)
        assert checksum_address(account.address) == other.address
        assert account.private_key == bytes(other.key)


@pytest.mark.parametrize("mnemonic", ["", "foo bar", "test " * 12, "abandon " * 11 + "zoo"])
def test_wrong_mnemonic_is_refused(mnemonic: str) -> None:
    with pytest.raises(BadMnemonic, match="not a BIP-39 mnemonic"):
        derive_accounts(mnemonic)


@pytest.mark.parametrize("path", ["44'/60'", "m/x", "m/1''", "m/4294967296", "n/1"])
def test_wrong_path_is_refused(path: str) -> None:
    with pytest.raises(BadMnemonic, match="derivation path"):
        derive_accounts(path=path)


@pytest.mark.parametrize("count", [-1, 10_001])
def test_number_of_accounts_is_limited(count: int) -> None:
    with pytest.raises(BadMnemonic, match="number of accounts"):
        derive_accounts(count=count)


def test_message_signature_is_that_of_eth_account() -> None:
    account = derive_accounts(count=1)[0]
    signed = EthAccount.sign_message(encode_defunct(b"hello"), account.private_key)
    assert sign_message(account.private_key, b"hello") == bytes(signed.signature)


def test_typed_data_signature_recovers_to_the_account() -> None:
    account = account_from_key(b"\x07" * 32)
    signature = sign_typed_data(account.private_key, TYPED_DATA)
    signer = EthAccount.recover_message(encode_typed_data(full_message=TYPED_DATA), signature=signature)
    assert signer == checksum_address(account.address)


def test_broken_typed_data_is_refused() -> None:
    with pytest.raises(ValueError, match="not EIP-712"):
        sign_typed_data(b"\x07" * 32, {"types": {}})
