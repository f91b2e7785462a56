"""Root keys: from the setting or a file, several of them, made once when there are none."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from craton_inv.crypto.root_keys import RootKeys, load_root_keys, make_root_key, write_root_keys
from craton_inv.errors import KeyMissing, SetupError
from craton_inv.settings import Settings

OLD, NEW = "00" * 32, "11" * 32


def settings(tmp_path: Path, **values: object) -> Settings:
    return Settings(data_dir=tmp_path / "data", **values)  # type: ignore[arg-type]


def test_the_first_seals_and_all_are_known(tmp_path: Path) -> None:
    keys = load_root_keys(settings(tmp_path, root_keys=f" new:{NEW} , old:{OLD}"))
    assert (keys.first.id, [key.id for key in keys.keys]) == ("new", ["new", "old"])
    assert keys.get("old").key == bytes(32)


@pytest.mark.parametrize(
    "text",
    [NEW, base64.b64encode(bytes.fromhex(NEW)).decode(), base64.urlsafe_b64encode(bytes.fromhex(NEW)).decode()[:-1]],
)
def test_a_key_without_an_id_is_known_by_itself(tmp_path: Path, text: str) -> None:
    keys = load_root_keys(settings(tmp_path, root_keys=text))
    assert keys.first.key == bytes.fromhex(NEW)
    assert keys.first.id == load_root_keys(settings(tmp_path, root_keys=f"{NEW}")).first.id != "new"


def test_without_a_setting_one_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    own = settings(tmp_path)
    assert load_root_keys(own, make=False).keys == ()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load_root_keys(own), range(8)))
    assert len({key.first.key for key in made}) == 1
    path = own.data_dir / "root.keys"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(own.data_dir) == ["root.keys"]


def test_a_file_may_hold_several_and_remarks(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# ours\nnew:{NEW}\n\nold:{OLD}\n")
    own = settings(tmp_path, root_keys_file=path)
    assert [key.id for key in load_root_keys(own).keys] == ["new", "old"]
    write_root_keys(own, RootKeys((make_root_key(), *load_root_keys(own).keys)))
    assert len(load_root_keys(own).keys) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("canary", "key 1 is not 32 bytes"),
        ("canary/x:" + NEW, "key 1 has an id that is not"),
        (f"a:{OLD},a:{NEW}", "key 2 has the id 'a' of an earlier one"),
        (",", "holds no root key"),
    ],
)
def test_what_is_no_key_is_refused_without_being_repeated(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SetupError, match=fault) as caught:
        load_root_keys(settings(tmp_path, root_keys=text))
    assert "canary" not in str(caught.value)
    assert NEW not in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        load_root_keys(settings(tmp_path, root_keys_file=tmp_path / "none"))


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="Root key 'gone' is needed"):
        load_root_keys(settings(tmp_path, root_keys=f"new:{NEW}")).get("gone")


def test_keys_show_in_no_repr(tmp_path: Path) -> None:
    own = settings(tmp_path, root_keys=f"new:{NEW}")
    shown = repr(own) + repr(load_root_keys(own)) + str(own.model_dump())
    assert NEW not in shown
    assert repr(bytes.fromhex(NEW)) not in shown
