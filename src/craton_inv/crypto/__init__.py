"""Passwords, token hashes, signatures and sealed secrets: library primitives under names of ours.

passwords, signatures: of users and tokens. root_keys: what the service is given to keep secrets with. envelope: how one
secret is sealed under its own key, that under a tenant's, and that under a root key.
"""

from craton_inv.crypto.passwords import hash_password, verify_password
from craton_inv.crypto.signatures import digest_secret, make_secret, same_digest, secret_key, sign

__all__ = [
    "digest_secret",
    "hash_password",
    "make_secret",
    "same_digest",
    "secret_key",
    "sign",
    "verify_password",
]
