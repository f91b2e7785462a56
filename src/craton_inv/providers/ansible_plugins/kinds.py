"""The kinds that are Ansible inventory plugins: which plugin, and how its variables tell machines. Source: AWX 24."""

from dataclasses import dataclass

from craton_inv.providers.host_values import HostRules


@dataclass(frozen=True)
class PluginKind:
    """A kind. `plugin`: its full name, collection first. `rules`: where a blank `enabled_var` falls back to."""

    kind: str
    plugin: str
    rules: HostRules

    @property
    def collection(self) -> str:
        """What has to be installed on the worker."""
        return collection_of(self.plugin)


def collection_of(plugin: str) -> str:
    """The collection of a plugin's full name."""
    return plugin.rpartition(".")[0]


def _cloud(
    kind: str, plugin: str, instance_id: str = "", enabled: tuple[str, str] = ("", ""), *, empty_groups: bool = False
) -> PluginKind:
    rules = HostRules(enabled[0], enabled[1], instance_id, empty_groups=empty_groups)
    return PluginKind(kind, plugin, rules)


KINDS = (
    _cloud("aws_ec2", "amazon.aws.aws_ec2", "instance_id", ("state.name", "running")),
    _cloud("azure_rm", "azure.azcollection.azure_rm", "id", ("powerstate", "running")),
    _cloud("gce", "google.cloud.gcp_compute", "gce_id", ("status", "running")),
    _cloud("insights", "redhatinsights.insights.insights", "insights_id", empty_groups=True),
    _cloud("openshift_virtualization", "kubevirt.core.kubevirt"),
    _cloud("openstack_plugin", "openstack.cloud.openstack", "openstack.id", ("status", "ACTIVE")),
    _cloud("rhv", "ovirt.ovirt.ovirt", "id", ("status", "up")),
    _cloud(
        "satellite6",
        "theforeman.foreman.foreman",
        "foreman_id,foreman.id",
        ("foreman_enabled,foreman.enabled", "True"),
    ),
    _cloud("terraform", "cloud.terraform.terraform_state", "id"),
    _cloud(
        "vmware",
        "community.vmware.vmware_vm_inventory",
        "config.instanceUuid,config.instanceuuid",
        ("guest.gueststate,guest.guestState", "running"),
    ),
    _cloud("vmware_esxi", "vmware.vmware.esxi_hosts"),
)
