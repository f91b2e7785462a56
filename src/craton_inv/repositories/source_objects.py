"""What sources deliver beside hosts and groups, in the database. Only a refresh writes these rows."""

from craton_inv.models import Disk, Flavor, Hypervisor, Image, Network, NetworkPort, Resource
from craton_inv.repositories.base import Repository


class HypervisorRepository(Repository[Hypervisor]):
    """Hypervisors of the caller's tenants."""

    model = Hypervisor
    label = "Hypervisor"


class FlavorRepository(Repository[Flavor]):
    """Flavors of the caller's tenants."""

    model = Flavor
    label = "Flavor"


class ImageRepository(Repository[Image]):
    """Images of the caller's tenants."""

    model = Image
    label = "Image"


class NetworkRepository(Repository[Network]):
    """Networks of the caller's tenants."""

    model = Network
    label = "Network"


class DiskRepository(Repository[Disk]):
    """Disks of hosts of the caller's tenants."""

    model = Disk
    label = "Disk"


class NetworkPortRepository(Repository[NetworkPort]):
    """Network ports of hosts of the caller's tenants."""

    model = NetworkPort
    label = "Network port"


class ResourceRepository(Repository[Resource]):
    """Objects of the providers' own collections, of the caller's tenants."""

    model = Resource
    label = "Resource"
