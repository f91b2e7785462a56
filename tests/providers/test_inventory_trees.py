"""Folders that a source reads: links in circles, depth, size and names that nobody would write by hand."""

import os
from pathlib import Path

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory import files
from craton_inv.providers.ansible_inventory.files import MAX_DEPTH, check_files


def checked(top: Path, root: Path) -> frozenset[Path]:
    """As a source without executables."""
    return check_files(top, [root], allow_executables=False)


@pytest.mark.parametrize("target", [".", "..", "../many"])
def test_s36_a_link_to_a_folder_around_it_is_refused_by_name(tmp_path: Path, target: str) -> None:
    many = tmp_path / "many"
    many.mkdir()
    (many / "hosts").write_text("h1\n")
    (many / "round").symlink_to(target)
    with pytest.raises(UpdateFailed, match="round is a link to a folder that it lies in"):
        checked(many, tmp_path)


def test_s36_links_that_multiply_folders_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 500)
    for level in range(20):
        (tmp_path / str(level)).mkdir()
        for name in "ab":
            (tmp_path / str(level) / name).symlink_to(tmp_path / str(level + 1))
    (tmp_path / "20").mkdir()
    with pytest.raises(UpdateFailed, match="more than 500 files and folders"):
        checked(tmp_path / "0", tmp_path)


def test_s36_folders_deeper_than_any_inventory_are_refused(tmp_path: Path) -> None:
    (tmp_path / "deep" / Path(*["d"] * MAX_DEPTH)).mkdir(parents=True)
    with pytest.raises(UpdateFailed, match=f"deep holds folders more than {MAX_DEPTH} levels deep"):
        checked(tmp_path / "deep", tmp_path)


def test_a_link_to_a_folder_beside_is_fine(tmp_path: Path) -> None:
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "web.yml").write_text("a: 1\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "hosts").write_text("h1\n")
    (tmp_path / "mine" / "group_vars").symlink_to("../common")
    assert checked(tmp_path / "mine", tmp_path) == {tmp_path / "mine", tmp_path / "common"}


def test_links_that_lead_nowhere_are_left_to_ansible(tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    (many / "hosts").write_text("h1\n")
    (many / "itself").symlink_to("itself")
    (many / "nowhere").symlink_to("nothing")
    assert checked(many, tmp_path) == {many}


def test_a_file_that_goes_while_it_is_looked_at_fails_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hosts").write_text("h1\n")
    monkeypatch.setattr(files, "refuse_alias_bomb", lambda path: path.unlink())
    with pytest.raises(UpdateFailed, match="hosts cannot be read whole: No such file"):
        checked(tmp_path / "hosts", tmp_path)


def test_a_name_that_is_no_utf_8_is_told_readably(tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    os.symlink("/etc/passwd", os.fsencode(many) + b"/\xff\xfe")
    with pytest.raises(UpdateFailed) as caught:
        checked(many, tmp_path)
    assert caught.value.message.encode() == (
        b"'\\udcff\\udcfe' is a link out of the folders that this source may read."
    )


@pytest.mark.parametrize("name", ["hosts.yml", "group_vars/all", "large.json"])
def test_a_yaml_file_beyond_all_measure_is_not_read(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_TEXT", 1000)
    path = tmp_path / "many" / name
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(1001)
    with pytest.raises(UpdateFailed, match=f"{path.name} has 1001 bytes; at most 1000 are read"):
        checked(tmp_path / "many", tmp_path)
