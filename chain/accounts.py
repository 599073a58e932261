"""Development accounts: a BIP-39 mnemonic, BIP-32 derivation, and what is signed with their keys.

Derivation is done here with `hashlib`, `hmac` and coincurve: PBKDF2 runs once and each account costs two curve
multiplications, so ten accounts take about a millisecond and nothing heavy is imported while the node starts.
eth-account is imported only where its word list or its EIP-712 encoder is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coincurve import PrivateKey

from chain.crypto import SECP256K1_N, address_of_key, keccak, recover, sign

__all__ = [
    "DEFAULT_MNEMONIC",
    "DEFAULT_PATH",
    "Account",
    "BadMnemonic",
    "account_from_key",
    "checksum_address",
    "derive_accounts",
    "random_mnemonic",
    "recover_message",
    "sign_message",
    "sign_typed_data",
]

DEFAULT_MNEMONIC = "test test test test test test test test test test test junk"
DEFAULT_PATH = "m/44'/60'/0'/0"
MAX_ACCOUNTS = 10_000

_HARDENED = 0x80000000


class BadMnemonic(ValueError):
    """The phrase is not a BIP-39 mnemonic, or a derivation path or count cannot be used."""


@dataclass(frozen=True, slots=True)
class Account:
    """One unlocked account.

    Attributes:
        address: 20 bytes.
        private_key: 32 bytes.
        path: BIP-32 path, or None for an account that was made from a bare key.
    """

    address: bytes
    private_key: bytes
    path: str | None = None


def checksum_address(address: bytes) -> str:
    """The address in EIP-55 mixed case."""
    text = address.hex()
    digits = keccak(text.encode()).hex()
    return "0x" + "".join(c.upper() if int(d, 16) >= 8 else c for c, d in zip(text, digits, strict=False))


def account_from_key(private_key: bytes, path: str | None = None) -> Account:
    """The account of a 32-byte private key."""
    return Account(address_of_key(private_key), private_key, path)


def derive_accounts(mnemonic: str = DEFAULT_MNEMONIC, count: int = 10, path: str = DEFAULT_PATH) -> tuple[Account, ...]:
    """The first `count` accounts below `path`.

    Args:
        mnemonic: BIP-39 phrase; anything but the well-known default is checked against its checksum.
        count: How many, 0 to 10,000.
        path: Parent path; account i is `path/i`.

    Raises:
        BadMnemonic: Unknown word, wrong checksum, or a count or path that cannot be used.
    """
    if not 0 <= count <= MAX_ACCOUNTS:
        raise BadMnemonic(f"the number of accounts must be between 0 and {MAX_ACCOUNTS}, not {count}")
    phrase = " ".join(unicodedata.normalize("NFKD", mnemonic).split())
    if phrase != DEFAULT_MNEMONIC:
        _check_mnemonic(phrase)
    seed = hashlib.pbkdf2_hmac("sha512", phrase.encode(), b"mnemonic", 2048)
    node = hmac.digest(b"Bitcoin seed", seed, "sha512")
    for index in _parse_path(path):
        node = _child(node, index)
    accounts = []
    public = PrivateKey(node[:32]).public_key.format()
    for i in range(count):
        child = _child(node, i, public)
        accounts.append(account_from_key(child[:32], f"{path}/{i}"))
    return tuple(accounts)


def random_mnemonic(words: int = 12) -> str:
    """A new BIP-39 phrase of 12, 15, 18, 21 or 24 English words."""
    from eth_account.hdaccount.mnemonic import Mnemonic

    return str(Mnemonic().generate(words))


def _check_mnemonic(phrase: str) -> None:
    from eth_account.hdaccount.mnemonic import Mnemonic
    from eth_utils.exceptions import ValidationError

    try:
        valid = Mnemonic(Mnemonic.detect_language(phrase)).is_mnemonic_valid(phrase)
    except ValidationError as error:
        raise BadMnemonic(f"not a BIP-39 mnemonic: {error}") from None
    if not valid:
        words = len(phrase.split())
        raise BadMnemonic(f"not a BIP-39 mnemonic: {words} words with an unknown word or a wrong checksum")


def _parse_path(path: str) -> list[int]:
    parts = path.split("/")
    indices = []
    for part in parts[1:]:
        digits = part.rstrip("'hH")
        if not digits.isdigit() or len(part) - len(digits) > 1 or int(digits) >= _HARDENED:
            raise BadMnemonic(f"not a derivation path: {path!r}")
        indices.append(int(digits) + (_HARDENED if part != digits else 0))
    if parts[0] != "m":
        raise BadMnemonic(f"not a derivation path: {path!r}")
    return indices


def _child(node: bytes, index: int, public: bytes | None = None) -> bytes:
    """BIP-32 CKDpriv: 64 bytes of key and chain code in, the same out."""
    key, chain_code = node[:32], node[32:]
    if index >= _HARDENED:
        data = b"\x00" + key
    else:
        data = public or PrivateKey(key).public_key.format()
    digest = hmac.digest(chain_code, data + index.to_bytes(4, "big"), "sha512")
    # The two failing cases of BIP-32 (a tweak past the order, a zero key) have a chance below 2^-127.
    secret = (int.from_bytes(digest[:32], "big") + int.from_bytes(key, "big")) % SECP256K1_N
    return secret.to_bytes(32, "big") + digest[32:]


def sign_message(private_key: bytes, message: bytes) -> bytes:
    """EIP-191 version 0x45 ("personal") signature: 65 bytes r, s, v with v 27 or 28."""
    return _signature_bytes(private_key, _message_digest(message))


def recover_message(message: bytes, signature: bytes) -> bytes | None:
    """20 bytes: whose key made a signature of `sign_message` (65 bytes; v may also be 0 or 1); None if nobody's."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    v = signature[64]
    return recover(_message_digest(message), v - 27 if v >= 27 else v, r, s)


def _message_digest(message: bytes) -> bytes:
    return keccak(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)


def sign_typed_data(private_key: bytes, typed_data: Mapping[str, Any]) -> bytes:
    """EIP-712 signature of a full typed-data object: 65 bytes r, s, v.

    Raises:
        ValueError: The object is not typed data.
    """
    from eth_account.messages import encode_typed_data

    try:
        signable = encode_typed_data(full_message=dict(typed_data))
    except Exception as error:  # noqa: BLE001 - the encoder raises whatever the broken field led to
        raise ValueError(f"not EIP-712 typed data: {error}") from None
    return _signature_bytes(private_key, keccak(b"\x19" + signable.version + signable.header + signable.body))


def _signature_bytes(private_key: bytes, digest: bytes) -> bytes:
    parity, r, s = sign(digest, private_key)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity])
