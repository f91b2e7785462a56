"""Credentials as providers get them: which inputs a type has, and where they go in the environment of a program.

definitions: what a type is. managed: AWX's own types. inputs, private_keys: what a credential may say. templates: the
injectors of custom types. injection: from inputs to environment variables and files. hiding: so that no
output tells them. No kind of its own.
"""

from craton_inv.providers.credentials.definitions import (
    CredentialTypeDefinition,
    InputField,
    ProviderCredential,
)
from craton_inv.providers.credentials.injection import Injected, injected
from craton_inv.providers.credentials.managed import MANAGED

PROVIDERS: tuple[object, ...] = ()

__all__ = ["MANAGED", "CredentialTypeDefinition", "Injected", "InputField", "ProviderCredential", "injected"]
