"""Kind `file` with the real ansible-inventory: what it reads, how it is called, and what it says when it fails."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.providers import registry
from craton_inv.providers.ansible_inventory.command import command_line
from craton_inv.providers.ansible_inventory.document import failure_text, read_document
from craton_inv.providers.ansible_inventory.environment import variables_for_environment
from craton_inv.providers.ansible_inventory.files import check_files
from craton_inv.providers.ansible_inventory.sandbox import Finished
from craton_inv.providers.base import SourceDefinition, Upload
from craton_inv.providers.file.paths import inside_roots
from craton_inv.providers.file.uploads import unpack
from craton_inv.settings import Settings
from tests.providers.running import gather


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that file sources may read."""
    folder = tmp_path / "inventories"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path, root: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", file_roots=str(root))


def source(path: Path | str = "", **values: object) -> SourceDefinition:
    return SourceDefinition(1, 1, 1, "file", source_path=str(path), **values)  # type: ignore[arg-type]


def tar_of(files: dict[str, bytes], *members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in members:
            archive.addfile(member)
    return buffer.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


async def test_a_file_is_read_with_the_variables_beside_it(settings: Settings, root: Path) -> None:
    (root / "hosts.ini").write_text("[web]\nweb1 a=1\n")
    (root / "group_vars").mkdir()
    (root / "group_vars" / "web.yml").write_text("b: 2\n")
    run, document = await gather(settings, source("hosts.ini", verbosity=1))
    assert document["_meta"]["hostvars"] == {"web1": {"a": 1}}
    assert document["web"]["vars"] == {"b": 2}
    assert "ansible-inventory [core" in run.text


@pytest.mark.parametrize("pack", [tar_of, zip_of])
async def test_an_uploaded_bundle_is_read(settings: Settings, pack: object) -> None:
    files = {"mine/inventory/hosts.yml": b"web:\n  hosts:\n    web1:\n", "mine/inventory/host_vars/web1.yml": b"a: 1\n"}
    upload = Upload("bundle.bin", pack(files))  # type: ignore[operator]
    _, document = await gather(settings, source(upload=upload, verbosity=0))
    assert document["_meta"]["hostvars"] == {"web1": {"a": 1}}


async def test_a_limit_keeps_the_hosts_of_its_pattern(settings: Settings, root: Path) -> None:
    (root / "hosts.ini").write_text("[web]\nweb[1:3]\n")
    run, _ = await gather(settings, source("hosts.ini", limit="web1:web2", verbosity=0))
    assert run.delivered["hosts"] == 2


async def test_a_limit_that_matches_nothing_fails(settings: Settings, root: Path) -> None:
    (root / "hosts.ini").write_text("[web]\nweb1\n")
    with pytest.raises(UpdateFailed, match="nosuch"):
        await gather(settings, source("hosts.ini", limit="nosuch", verbosity=0))


async def test_one_file_of_a_folder_that_does_not_parse_fails_the_whole(settings: Settings, root: Path) -> None:
    (root / "many").mkdir()
    (root / "many" / "1.yml").write_text("all:\n  hosts:\n    a:\n")
    (root / "many" / "2.yml").write_text("all: [\n")
    with pytest.raises(UpdateFailed, match=r"2\.yml"):
        await gather(settings, source("many", verbosity=0))


async def test_source_vars_reach_the_inventory_as_environment(settings: Settings, root: Path) -> None:
    (root / "c").mkdir()
    (root / "c" / "1.ini").write_text("web1\n")
    (root / "c" / "2.constructed.yml").write_text(
        "plugin: ansible.builtin.constructed\nstrict: true\ncompose:\n  place: lookup('env', 'PLACE')\n"
    )
    _, document = await gather(settings, source("c", source_vars='{"PLACE": "east"}', verbosity=0))
    assert document["_meta"]["hostvars"]["web1"]["place"] == {"__ansible_unsafe": "east"}


def test_the_command_is_awx_s() -> None:
    command = command_line("/bin/ansible-inventory", [Path("/i"), Path("/j")], Path("/o"), "-x", 2)
    assert command == [
        "/bin/ansible-inventory",
        "--list",
        "--export",
        "-i",
        "/i",
        "-i",
        "/j",
        "--output",
        "/o",
        "--limit=-x",
        "-vvvvv",
    ]
    assert command_line("a", [Path("/i")], Path("/o"), "", 1)[-1] == "-vvv"
    assert command_line("a", [Path("/i")], Path("/o"), "", 0)[-1] == "/o"


def test_a_failure_names_the_signal_or_the_status() -> None:
    assert failure_text(Finished(-9, [])) == "ansible-inventory was stopped by signal 9."
    assert (
        failure_text(Finished(4, ["noise", "[ERROR]: why"]))
        == "ansible-inventory failed with exit status 4: [ERROR]: why"
    )


@pytest.mark.parametrize(
    ("content", "reason"), [(b"[1]", "JSON object"), (b"{", "no valid JSON"), (b"[" * 5000, "no valid")]
)
def test_a_document_that_is_none_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "output.json"
    path.write_bytes(content)
    with pytest.raises(UpdateFailed, match=reason):
        read_document(path, 10_000)


def test_a_document_above_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    path.write_bytes(b"{}" + b" " * 100)
    with pytest.raises(UpdateFailed, match="at most 50"):
        read_document(path, 50)


async def test_a_missing_program_is_said_plainly(settings: Settings, root: Path) -> None:
    (root / "hosts.ini").write_text("h\n")
    missing = settings.model_copy(update={"ansible_inventory_command": "/nowhere/ansible-inventory"})
    with pytest.raises(UpdateFailed, match="ansible-inventory was not found"):
        await gather(missing, source("hosts.ini"))


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "a/../../secret", "\x00", "/"])
def test_s36_a_path_outside_the_roots_is_refused_by_field(settings: Settings, path: str) -> None:
    with pytest.raises(InvalidField) as caught:
        registry.get("file").check(source(path), settings)
    assert list(caught.value.fields) == ["source_path"]


def test_s36_a_link_out_of_the_roots_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (root / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InvalidField, match="outside the folders"):
        inside_roots("link", [root])


def test_s36_a_link_out_of_the_roots_inside_a_folder_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (root / "many" / "group_vars").mkdir(parents=True)
    (root / "many" / "group_vars" / "all").symlink_to(tmp_path / "secret")
    with pytest.raises(UpdateFailed, match="link out of the folders"):
        check_files(root / "many", [root], allow_executables=False)


@pytest.mark.parametrize("link", ["group_vars", "group_vars/web.yml"])
async def test_links_within_the_roots_are_followed(settings: Settings, root: Path, link: str) -> None:
    (root / "common" / "group_vars").mkdir(parents=True)
    (root / "common" / "group_vars" / "web.yml").write_text("a: 1\n")
    (root / "mine").mkdir()
    (root / "mine" / "hosts.ini").write_text("[web]\nweb1\n")
    (root / "mine" / link).parent.mkdir(exist_ok=True)
    (root / "mine" / link).symlink_to(root / "common" / link)
    _, document = await gather(settings, source("mine/hosts.ini"))
    assert document["web"]["vars"] == {"a": 1}


def test_s36_group_vars_beside_a_file_are_checked_too(root: Path, tmp_path: Path) -> None:
    (root / "hosts.ini").write_text("h\n")
    (root / "group_vars").symlink_to("/etc")
    with pytest.raises(UpdateFailed, match="link out of the folders"):
        check_files(root / "hosts.ini", [root], allow_executables=False)


@pytest.mark.parametrize("where", ["run.sh", "many/run.sh", "many/deep/run.sh"])
def test_s36_an_executable_is_refused_wherever_ansible_would_run_it(root: Path, where: str) -> None:
    path = root / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("h1\n")
    path.chmod(0o755)
    top = root / where.split("/")[0]
    with pytest.raises(UpdateFailed, match="Executable inventories are switched off"):
        check_files(top, [root], allow_executables=False)
    check_files(top, [root], allow_executables=True)


def test_s36_a_script_without_the_executable_mark_is_refused_too(root: Path) -> None:
    (root / "run").write_text("#!/bin/sh\n")
    with pytest.raises(UpdateFailed, match="Executable inventories"):
        check_files(root / "run", [root], allow_executables=False)


def test_executable_marks_on_variable_files_do_not_matter(root: Path) -> None:
    (root / "many" / "host_vars").mkdir(parents=True)
    (root / "many" / "hosts").write_text("h1\n")
    (root / "many" / "host_vars" / "h1").write_text("a: 1\n")
    (root / "many" / "host_vars" / "h1").chmod(0o755)
    check_files(root / "many", [root], allow_executables=False)


def test_s12_a_yaml_file_whose_aliases_explode_is_refused_unread(root: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    (root / "bomb.yml").write_text("\n".join(lines))
    with pytest.raises(UpdateFailed, match=r"bomb.yml: Its aliases expand to more than 100000 values."):
        check_files(root / "bomb.yml", [root], allow_executables=False)


def test_s12_aliases_of_a_modest_size_are_fine(root: Path) -> None:
    many = "\n".join(f"    h{n}: *common" for n in range(2000))
    (root / "modest.yml").write_text(f"x-common: &common {{a: 1, b: [1, 2]}}\nall:\n  hosts:\n{many}\n")
    check_files(root / "modest.yml", [root], allow_executables=False)


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.linkname = target
    return made


@pytest.mark.parametrize(
    "content",
    [
        tar_of({}, member("link", tarfile.SYMTYPE, "/etc/passwd")),
        tar_of({}, member("link", tarfile.LNKTYPE, "/etc/passwd")),
        tar_of({}, member("device", tarfile.CHRTYPE)),
        tar_of({"/absolute": b""}),
        tar_of({"a/../../b": b""}),
        tar_of({"ansible.cfg": b""}),
        tar_of({"inventory/inventory_plugins/x.py": b""}),
        zip_of({"../b": b""}),
        zip_of({"a/ansible.cfg": b""}),
        b"\x1f\x8b broken",
    ],
    # Names of ours: an archive's bytes hold the time, and every worker must see the same tests.
    ids=["symlink", "hard link", "device", "absolute", "climbs", "cfg", "plugin", "zip climbs", "zip cfg", "broken"],
)
def test_s36_a_bundle_that_reaches_out_or_brings_code_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UpdateFailed, match="bundle"):
        unpack(Upload("bundle.tgz", content), tmp_path, allow_executables=False)


def test_an_upload_keeps_its_suffix_and_nothing_else_of_its_name(tmp_path: Path) -> None:
    assert unpack(Upload("../../x.yml", b"{}"), tmp_path, allow_executables=False) == tmp_path / "inventory.yml"


@pytest.mark.parametrize(
    "source_vars",
    [
        '{"HOME": "/"}',
        '{"LD_PRELOAD": "x"}',
        '{"PYTHONPATH": "x"}',
        '{"ANSIBLE_CONFIG": "x"}',
        '{"a b": 1}',
        '{"A": [1]}',
    ],
)
def test_source_vars_that_would_run_other_code_are_refused(source_vars: str) -> None:
    with pytest.raises(InvalidField) as caught:
        variables_for_environment(source_vars)
    assert list(caught.value.fields) == ["source_vars"]


def test_s36_a_limit_may_not_name_a_file(settings: Settings, root: Path) -> None:
    with pytest.raises(InvalidField, match="cannot name a file"):
        registry.get("file").check(source("x", limit="@/etc/passwd"), settings)
