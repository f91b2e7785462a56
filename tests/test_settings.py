"""Settings: values that make no sense are refused at the start, each named, without repeating what may be secret."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from craton_inv.cli import _setting_fault
from craton_inv.settings import Settings, default_data_dir

SECRET = "hunter2"


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """What a user is told about these variables; they must be refused."""
    for name, value in environment.items():
        monkeypatch.setenv(f"CRATON_INV_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    return "\n".join(map(_setting_fault, caught.value.errors()))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", f"mysql://u:{SECRET}@h/x", "must be a postgresql:// URL"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@h:port/x", "is no URL"),
        ("DATABASE_URL", f"postgresql://u:{SECRET}@h/x?nonsense=1", "has an option 'nonsense' that is not known"),
        ("REDIS_URL", f"u:{SECRET}@h", "must be redis://host:port/0"),
        ("REDIS_URL", f"http://u:{SECRET}@h", "must be redis://host:port/0"),
        ("REDIS_URL", f"redis://u:{SECRET}@h:port/0", "has no readable host and port"),
        ("REDIS_URL", f"redis://u:{SECRET}@h/zero", "ends in the number of a database"),
        ("LOG_LEVEL", "LOUD", "must be DEBUG, INFO, WARNING or ERROR"),
        ("DATABASE_STATEMENT_TIMEOUT", "inf", "less than or equal to 86400"),
        ("FILTER_STATEMENT_TIMEOUT", "0.0001", "greater than or equal to 0.001"),
        ("JOB_LEASE", "nan", "or equal to"),
        ("INVENTORY_UPDATE_TIMEOUT", "-5", "greater than or equal to 0"),
        ("FACT_INDEXES", "ansible_facts__a,hostname", "names 'hostname', which does not begin with"),
        ("FACT_INDEXES", "ansible_facts__a____b", "names 'ansible_facts__a____b', which has an empty part"),
        ("FACT_INDEXES", "variables", "names 'variables', which has an empty part"),
        ("FACT_INDEXES", "ansible_facts__a[]", "names 'ansible_facts__a[]': an index takes keys"),
        ("FACT_INDEXES", ",".join(f"variables__v{n}" for n in range(17)), "names 17 paths; at most 16"),
    ],
)
def test_a_senseless_value_is_refused_by_the_name_of_its_variable(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refusal(monkeypatch, **{name: value})
    assert told.startswith(f"CRATON_INV_{name}: ")
    assert words in told
    assert SECRET not in told


def test_a_lease_that_ends_before_its_heartbeat_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told = refusal(monkeypatch, JOB_LEASE="10", JOB_HEARTBEAT="10")
    assert told.startswith("CRATON_INV_JOB_HEARTBEAT must be shorter than CRATON_INV_JOB_LEASE")


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ADMIN_TOKEN", "DATA_DIR"])
def test_an_empty_variable_counts_as_unset(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CRATON_INV_{name}", "")
    expected = default_data_dir() if name == "DATA_DIR" else None
    assert getattr(Settings(), name.lower()) == expected


def test_a_level_may_be_written_in_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRATON_INV_LOG_LEVEL", "debug")
    assert Settings().log_level == "DEBUG"


def test_declared_paths_are_taken_apart_and_each_is_taken_once() -> None:
    declared = Settings(fact_indexes=" ansible_facts__a__b , variables__c,,ansible_facts__a__b")
    assert declared.indexed_paths() == [("ansible_facts", "a", "b"), ("variables", "c")]


def test_an_sslmode_is_handed_to_the_driver_under_its_own_name() -> None:
    url = "postgresql://u:p%40ss@h:5433/x?sslmode=require"
    assert Settings(database_url=url).database_url == "postgresql+asyncpg://u:p%40ss@h:5433/x?ssl=require"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://u@/x?host=/a/b c&port=5432",
        "postgresql+asyncpg://u:p@/x?host=a:1&host=b:2&target_session_attrs=read-write",
    ],
)
def test_the_url_of_a_socket_or_of_several_servers_stays_as_it_is(url: str) -> None:
    assert Settings(database_url=url).database_url == url


@pytest.mark.parametrize("url", ["redis://h", "rediss://:p@h:6380/3", "unix:///a/b%20c/valkey.sock?db=0"])
def test_urls_of_redis_are_taken(url: str, tmp_path: Path) -> None:
    assert Settings(redis_url=url, data_dir=tmp_path).redis_url == url
