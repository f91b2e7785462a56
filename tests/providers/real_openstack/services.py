"""Keystone and Ironic on loopback, from their own packages: configured, bootstrapped, started, and ended again."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import openstack

PATIENCE_S = 120.0
REGION = "RegionOne"
PASSWORD = "the-administrators-password"
KEYSTONE = """
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.db
[identity]
password_hash_rounds = 4
[token]
provider = fernet
[fernet_tokens]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[cache]
enabled = true
backend = dogpile.cache.memory
"""
# Hardware that is only pretended; API and conductor in one process. Each token is asked about each time.
IRONIC = """
[DEFAULT]
log_file = {folder}/ironic.log
state_path = {folder}
host = conductor-1
auth_strategy = keystone
rpc_transport = none
enabled_hardware_types = fake-hardware
enabled_bios_interfaces = no-bios
enabled_boot_interfaces = fake
enabled_console_interfaces = no-console
enabled_deploy_interfaces = fake
enabled_firmware_interfaces = no-firmware
enabled_inspect_interfaces = no-inspect
enabled_management_interfaces = fake
enabled_network_interfaces = noop
enabled_power_interfaces = fake
enabled_raid_interfaces = no-raid
enabled_rescue_interfaces = no-rescue
enabled_storage_interfaces = noop
enabled_vendor_interfaces = no-vendor
[api]
host_ip = 127.0.0.1
port = {port}
[database]
connection = sqlite:///{folder}/ironic.db
[service_catalog]
auth_type = none
endpoint_override = http://127.0.0.1:{port}
[keystone_authtoken]
auth_type = password
auth_url = {identity}
www_authenticate_uri = {identity}
username = admin
password = {password}
project_name = admin
user_domain_id = default
project_domain_id = default
token_cache_time = -1
service_token_roles_required = true
"""


class RealOpenStack:
    """Where Keystone is, and who may do everything."""

    def __init__(self, identity: str) -> None:
        self.identity = identity

    def connect(self, username: str = "admin", password: str = PASSWORD, project: str = "admin") -> Any:
        """A connection of openstacksdk, for what the tests change."""
        return openstack.connect(
            auth_url=self.identity, username=username, password=password, project_name=project,
            user_domain_id="default", project_domain_id="default", region_name=REGION,
        )  # fmt: skip


@contextmanager
def running(programs: Path, folder: Path) -> Iterator[RealOpenStack]:
    """Both services while the block runs, with nothing in them yet. `programs`: the folder that has theirs."""
    identity, port = f"http://127.0.0.1:{free_port()}", free_port()
    env = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore"}
    env |= {"OS_KEYSTONE_CONFIG_DIR": str(folder), "OS_KEYSTONE_CONFIG_FILES": "keystone.conf"}
    known = {"folder": folder, "identity": f"{identity}/v3", "port": port, "password": PASSWORD}
    (folder / "keystone.conf").write_text(KEYSTONE.format(**known))
    (folder / "ironic.conf").write_text(IRONIC.format(**known))
    ironic = ["--config-file", str(folder / "ironic.conf")]
    with ExitStack() as all_:
        schema = [str(programs / "ironic-dbsync"), *ironic, "create_schema"]
        prepared = all_.enter_context(process("schema", env, folder, *schema))
        prepare_keystone(programs, env, folder, f"{identity}/v3")
        serving = {**env, "PORT": identity.rpartition(":")[2]}
        program = str(Path(__file__).with_name("identity.py"))
        answers(
            all_.enter_context(process("keystone", serving, folder, str(programs / "python"), "-P", program)),
            f"{identity}/v3",
        )
        if prepared.wait(timeout=PATIENCE_S) != 0:
            raise RuntimeError((folder / "schema.out").read_text())
        at = f"http://127.0.0.1:{port}"
        answers(all_.enter_context(process("ironic", env, folder, str(programs / "ironic"), *ironic)), at)
        cloud = RealOpenStack(identity)
        with cloud.connect() as connection:
            service = connection.identity.create_service(name="ironic", type="baremetal")
            connection.identity.create_endpoint(service_id=service.id, interface="public", region_id=REGION, url=at)
        yield cloud


def prepare_keystone(programs: Path, env: Mapping[str, str], folder: Path, identity: str) -> None:
    """Keystone's database, keys, and its administrator."""
    owner = [f"--keystone-{what}={number}" for what, number in (("user", os.getuid()), ("group", os.getgid()))]
    bootstrap = ["bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-region-id", REGION]
    for interface in ("public", "internal", "admin"):
        bootstrap += [f"--bootstrap-{interface}-url", identity]
    for arguments in (["db_sync"], ["fernet_setup", *owner], ["credential_setup", *owner], bootstrap):
        command = [str(programs / "keystone-manage"), "--config-file", str(folder / "keystone.conf"), *arguments]
        done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode != 0:
            raise RuntimeError(f"{arguments[0]}: {done.stderr}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def process(name: str, env: Mapping[str, str], folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program with all that it starts, ended with the block. What it says goes to `<name>.out`."""
    with (folder / f"{name}.out").open("wb") as said:
        started = subprocess.Popen(
            command, env=env, cwd=folder, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGTERM)
            try:
                started.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(started.pid, signal.SIGKILL)
                started.wait()


def answers(started: subprocess.Popen[bytes], url: str) -> None:
    """Wait until a service answers. Raises RuntimeError when it ends, or does not within two minutes."""
    end = time.monotonic() + PATIENCE_S
    while started.poll() is None and time.monotonic() < end:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise RuntimeError(f"{started.args} does not answer; see what it wrote beside its configuration.")
