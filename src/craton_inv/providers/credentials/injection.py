"""From the inputs of a credential to environment variables and files, for each kind as AWX injects them.

Pure: what is to be written is told, with its path; `write_files` writes it.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from craton_inv.providers.credentials.definitions import SSH_PRIVATE_KEY, CredentialTypeDefinition, ProviderCredential
from craton_inv.providers.credentials.hiding import HIDDEN
from craton_inv.providers.credentials.managed import MANAGED
from craton_inv.providers.credentials.templates import render

GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"


@dataclass(frozen=True)
class Injected:
    """What a program gets of a credential. `files`: contents by path. `hidden`: variables that hold a secret."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: Mapping[Path, str] = field(default_factory=dict, repr=False)
    hidden: frozenset[str] = frozenset()

    def shown(self) -> dict[str, str]:
        """The environment as an update shows it: secrets as AWX writes them."""
        return {name: HIDDEN if name in self.hidden else value for name, value in self.environment.items()}


def injected(credential: ProviderCredential, folder: Path) -> Injected:
    """The variables and files of a credential; files lie in `folder`, which nobody else may read.

    Raises UpdateFailed when a template of a custom type cannot be rendered.
    """
    definition = credential.definition or MANAGED[credential.kind]
    inject = _BUILT_IN.get(definition.namespace)
    environment, files = (inject or _from_templates)(credential, definition, folder)
    secrets = [value for value in _secrets_of(credential, definition) if value]
    hidden = (name for name, value in environment.items() if any(secret in value for secret in secrets))
    return Injected(environment, files, frozenset(hidden))


def write_files(given: Injected, folder: Path) -> None:
    """Make the folder and write the files that lie in it, for their owner alone."""
    folder.mkdir(mode=0o700)
    for path, text in given.files.items():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


_Parts = tuple[dict[str, str], dict[Path, str]]
_Inject = Callable[[ProviderCredential, CredentialTypeDefinition, Path], _Parts]


def _secrets_of(credential: ProviderCredential, definition: CredentialTypeDefinition) -> list[str]:
    return [str(credential.inputs.get(name) or "") for name in definition.secret_ids()]


def _aws(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    environment = {
        "AWS_ACCESS_KEY_ID": credential.get("username"),
        "AWS_SECRET_ACCESS_KEY": credential.get("password"),
    }
    token = credential.get("security_token")
    if token:
        environment |= {"AWS_SECURITY_TOKEN": token, "AWS_SESSION_TOKEN": token}
    return environment, {}


def _azure_rm(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    environment = {"AZURE_SUBSCRIPTION_ID": credential.get("subscription")}
    client, tenant = credential.get("client"), credential.get("tenant")
    if client and tenant:
        environment |= {"AZURE_CLIENT_ID": client, "AZURE_TENANT": tenant, "AZURE_SECRET": credential.get("secret")}
    else:
        environment |= {"AZURE_AD_USER": credential.get("username"), "AZURE_PASSWORD": credential.get("password")}
    cloud = credential.get("cloud_environment")
    return (environment | {"AZURE_CLOUD_ENVIRONMENT": cloud} if cloud else environment), {}


def _gce(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    path, project = folder / "gce_credentials.json", credential.get("project")
    account = {
        "type": "service_account",
        "private_key": credential.get("ssh_key_data"),
        "client_email": credential.get("username"),
        "project_id": project,
        "token_uri": GOOGLE_TOKENS,
    }
    environment = {
        "GCE_CREDENTIALS_FILE_PATH": str(path),
        "GCP_SERVICE_ACCOUNT_FILE": str(path),
        "GCP_AUTH_KIND": "serviceaccount",
        "GCP_PROJECT": project,
        "GCP_ENV_TYPE": "tower",
    }
    return environment, {path: json.dumps(account, indent=2)}


def _kubernetes(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    environment = {"K8S_AUTH_HOST": credential.get("host"), "K8S_AUTH_API_KEY": credential.get("bearer_token")}
    authority = credential.get("ssl_ca_cert")
    if not (credential.get("verify_ssl", True) and authority):
        return environment | {"K8S_AUTH_VERIFY_SSL": "False"}, {}
    path = folder / "kubernetes_ca.pem"
    return environment | {"K8S_AUTH_VERIFY_SSL": "True", "K8S_AUTH_SSL_CA_CERT": str(path)}, {path: authority}


def openstack_cloud(credential: ProviderCredential) -> dict[str, object]:
    """The one cloud of AWX's clouds.yaml, as openstacksdk takes it."""
    auth = {
        "auth_url": credential.get("host"),
        "username": credential.get("username"),
        "password": credential.get("password"),
        "project_name": credential.get("project"),
    }
    for name, key in (("project_domain_name", "project_domain_name"), ("domain", "domain_name")):
        if value := credential.get(name):
            auth[key] = value
    cloud: dict[str, object] = {"auth": auth, "verify": credential.get("verify_ssl", True)}
    region = credential.get("region")
    return cloud | {"region_name": region} if region else cloud


def _openstack(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    path = folder / "clouds.yaml"
    text = yaml.safe_dump({"clouds": {"devstack": openstack_cloud(credential)}}, allow_unicode=True)
    return {"OS_CLIENT_CONFIG_FILE": str(path)}, {path: text}


def _satellite6(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    names = {"FOREMAN_SERVER": "host", "FOREMAN_USER": "username", "FOREMAN_PASSWORD": "password"}
    return {variable: credential.get(name) for variable, name in names.items()}, {}


def _scm(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    """Projects log in with it themselves; a program gets nothing."""
    return {}, {}


def _terraform(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    path = folder / "terraform_backend"
    environment, files = {"TF_BACKEND_CONFIG_FILE": str(path)}, {path: credential.get("configuration")}
    google = credential.get("gce_credentials")
    if google:
        account = folder / "terraform_google.json"
        environment["GOOGLE_BACKEND_CREDENTIALS"] = str(account)
        files[account] = google
    return environment, files


def _vmware(credential: ProviderCredential, _: CredentialTypeDefinition, folder: Path) -> _Parts:
    environment = {
        "VMWARE_USER": credential.get("username"),
        "VMWARE_PASSWORD": credential.get("password"),
        "VMWARE_HOST": credential.get("host"),
        "VMWARE_VALIDATE_CERTS": "True",
    }
    return environment, {}


def _from_templates(credential: ProviderCredential, definition: CredentialTypeDefinition, folder: Path) -> _Parts:
    """`file` first, so that `env` may name them as `tower.filename`. `extra_vars` do not reach inventories (AWX)."""
    values = {}
    for one in definition.fields:
        value = credential.get(one.id, one.empty)
        if one.format == SSH_PRIVATE_KEY and value and not str(value).endswith("\n"):
            value = f"{value}\n"
        values[one.id] = value
    files: dict[Path, str] = {}
    names: dict[str, str] = {}
    for number, (label, template) in enumerate(definition.injectors.get("file", {}).items(), 1):
        path = folder / f"credential_{number}"
        files[path] = render(template, values, {})
        names[label.partition(".")[2]] = str(path)
    environment = {
        variable: render(template, values, names) for variable, template in definition.injectors.get("env", {}).items()
    }
    return environment, files


_BUILT_IN: dict[str, _Inject] = {
    "aws": _aws,
    "azure_rm": _azure_rm,
    "gce": _gce,
    "kubernetes_bearer_token": _kubernetes,
    "openstack": _openstack,
    "satellite6": _satellite6,
    "scm": _scm,
    "terraform": _terraform,
    "vmware": _vmware,
}
