"""A worker without the packages of an extra: sources that need them are refused with the way to install them."""

import json
import sys
from dataclasses import replace

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings

AWS = ProviderCredential("aws", {"username": "AKIA", "password": "secret"})
CLOUD = {"host": "https://192.0.2.1/v3", "username": "ops", "password": "secret", "project": "ops"}
SOURCE = SourceDefinition(1, 1, 1, "", source_vars="{}")
SOURCES = {
    "ec2": replace(SOURCE, kind="ec2", source_vars=json.dumps({"regions": ["eu-central-1"]}), credentials=(AWS,)),
    "openstack": replace(SOURCE, kind="openstack", credentials=(ProviderCredential("openstack", CLOUD),)),
}
MODULES = {
    "ec2": ("aws", "aiobotocore", ["aiobotocore", "aiobotocore.config", "aiobotocore.session", "botocore.exceptions"]),
    "openstack": ("openstack", "openstacksdk", ["openstack", "openstack.exceptions", "keystoneauth1.exceptions"]),
}


@pytest.mark.parametrize("kind", SOURCES)
async def test_a_worker_without_the_package_says_how_it_is_installed(
    settings: Settings, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra, package, modules = MODULES[kind]
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    refresher = registry.refresher(SOURCES[kind], Targets(1), Surroundings(settings))
    with pytest.raises(UpdateFailed, match=f"lacks the package {package}") as caught:
        await refresher.gather()
    await refresher.close()
    assert f"CRATON_INV_EXTRAS={extra} ./craton up" in caught.value.message
    assert f"pip install 'craton-inv[{extra}]'" in caught.value.message
