"""Apps of the fake GitHub, which sign what they say themselves."""

from collections.abc import Mapping
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


def app_of(keys: Mapping[str, str], token: str) -> str:
    """Return the App that signed `token`; empty when none of `keys` did."""
    for app, key in keys.items():
        try:
            jwt.decode(token, key, algorithms=["RS256"], issuer=app)
        except jwt.InvalidTokenError:
            continue
        return f"app-{app}"
    return ""


def new_key(file: Path) -> str:
    """Write a new private key to `file`, for its owner alone; return the public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(text)
    file.chmod(0o600)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
