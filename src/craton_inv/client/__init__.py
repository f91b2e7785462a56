"""The Python API over REST: what scripts, the command line and the demonstration talk to a running service with.

    with Client("http://127.0.0.1:8000", token) as api:
        for host in api.iterate("/v2/hosts/", host_filter='ansible_facts__ansible_system="Linux"'):
            print(host["name"])

Stands alone: httpx and pydantic only, nothing of the service, so that it can be taken elsewhere as it is.
"""

from craton_inv.client.client import Client
from craton_inv.client.errors import ClientError, ServiceUnreachable, UpdateNotFinished

__all__ = ["Client", "ClientError", "ServiceUnreachable", "UpdateNotFinished"]
