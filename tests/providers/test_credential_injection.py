"""Injection per kind, as AWX does it: variables, files, what is hidden; custom types within their bounds."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.providers.credentials import MANAGED, ProviderCredential, injected
from craton_inv.providers.credentials.custom import check_custom
from craton_inv.providers.credentials.definitions import definition_from
from craton_inv.providers.credentials.hiding import hide_within, hiding
from craton_inv.providers.credentials.injection import write_files
from craton_inv.providers.credentials.templates import render

FOLDER = Path("/private/of/the/run")
SECRET = "canary-in-a-credential"
LOGIN = {"host": "h.example.com", "username": "u", "password": SECRET}


def managed(kind: str, **inputs: Any) -> ProviderCredential:
    return ProviderCredential(kind, inputs, MANAGED[kind])


CASES: dict[str, tuple[dict[str, Any], dict[str, str], set[str]]] = {
    "aws": (
        {"username": "AK", "password": SECRET},
        {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": SECRET},
        {"AWS_SECRET_ACCESS_KEY"},
    ),
    "azure_rm": (
        {"subscription": "s", "client": "c", "tenant": "t", "secret": SECRET, "cloud_environment": "gov"},
        {
            "AZURE_SUBSCRIPTION_ID": "s",
            "AZURE_CLIENT_ID": "c",
            "AZURE_TENANT": "t",
            "AZURE_SECRET": SECRET,
            "AZURE_CLOUD_ENVIRONMENT": "gov",
        },
        {"AZURE_SECRET"},
    ),
    "controller": (
        {"host": "https://c.example.com", "oauth_token": SECRET, "verify_ssl": True},
        {
            f"{prefix}_{name}": value
            for prefix in ("TOWER", "CONTROLLER")
            for name, value in {
                "HOST": "https://c.example.com",
                "USERNAME": "",
                "PASSWORD": "",
                "VERIFY_SSL": "True",
                "OAUTH_TOKEN": SECRET,
            }.items()
        },
        {"TOWER_OAUTH_TOKEN", "CONTROLLER_OAUTH_TOKEN"},
    ),
    "gce": (
        {"username": "me@x.example.com", "project": "p", "ssh_key_data": SECRET},
        {
            "GCE_CREDENTIALS_FILE_PATH": f"{FOLDER}/gce_credentials.json",
            "GCP_SERVICE_ACCOUNT_FILE": f"{FOLDER}/gce_credentials.json",
            "GCP_AUTH_KIND": "serviceaccount",
            "GCP_PROJECT": "p",
            "GCP_ENV_TYPE": "tower",
        },
        set(),
    ),
    "insights": (
        {"username": "u", "password": SECRET},
        {"INSIGHTS_USER": "u", "INSIGHTS_PASSWORD": SECRET},
        {"INSIGHTS_PASSWORD"},
    ),
    "kubernetes_bearer_token": (
        {"host": "https://k.example.com", "bearer_token": SECRET, "verify_ssl": False},
        {"K8S_AUTH_HOST": "https://k.example.com", "K8S_AUTH_API_KEY": SECRET, "K8S_AUTH_VERIFY_SSL": "False"},
        {"K8S_AUTH_API_KEY"},
    ),
    "openstack": (
        {**LOGIN, "project": "p", "region": "r"},
        {"OS_CLIENT_CONFIG_FILE": f"{FOLDER}/clouds.yaml"},
        set(),
    ),
    "rhv": (
        {**LOGIN, "ca_file": "/ca.pem"},
        {
            "OVIRT_INI_PATH": f"{FOLDER}/credential_1",
            "OVIRT_URL": "h.example.com",
            "OVIRT_USERNAME": "u",
            "OVIRT_PASSWORD": SECRET,
        },
        {"OVIRT_PASSWORD"},
    ),
    "satellite6": (
        LOGIN,
        {"FOREMAN_SERVER": "h.example.com", "FOREMAN_USER": "u", "FOREMAN_PASSWORD": SECRET},
        {"FOREMAN_PASSWORD"},
    ),
    "scm": ({"username": "u", "password": SECRET}, {}, set()),
    "terraform": (
        {"configuration": SECRET, "gce_credentials": "{}"},
        {
            "TF_BACKEND_CONFIG_FILE": f"{FOLDER}/terraform_backend",
            "GOOGLE_BACKEND_CREDENTIALS": f"{FOLDER}/terraform_google.json",
        },
        set(),
    ),
    "vmware": (
        LOGIN,
        {
            "VMWARE_USER": "u",
            "VMWARE_PASSWORD": SECRET,
            "VMWARE_HOST": "h.example.com",
            "VMWARE_VALIDATE_CERTS": "True",
        },
        {"VMWARE_PASSWORD"},
    ),
}


def test_every_managed_type_has_a_case() -> None:
    assert CASES.keys() == MANAGED.keys()


@pytest.mark.parametrize("kind", CASES)
def test_a_kind_is_injected_as_awx_does(kind: str) -> None:
    inputs, environment, hidden = CASES[kind]
    given = injected(managed(kind, **inputs), FOLDER)
    assert given.environment == environment
    assert {name for name, value in given.shown().items() if value == "**********"} == hidden
    assert SECRET not in f"{given.shown()}{given!r}{managed(kind, **inputs)!r}"


def test_a_session_token_goes_by_both_names() -> None:
    given = injected(managed("aws", username="AK", password="S", security_token=SECRET), FOLDER)
    assert given.environment["AWS_SECURITY_TOKEN"] == given.environment["AWS_SESSION_TOKEN"] == SECRET


def test_azure_falls_back_to_a_user() -> None:
    given = injected(managed("azure_rm", subscription="s", username="u", password=SECRET), FOLDER)
    assert given.environment == {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_AD_USER": "u", "AZURE_PASSWORD": SECRET}


def test_the_service_account_of_google_is_a_file() -> None:
    inputs = CASES["gce"][0]
    [text] = injected(managed("gce", **inputs), FOLDER).files.values()
    assert json.loads(text) == {
        "type": "service_account",
        "private_key": SECRET,
        "client_email": "me@x.example.com",
        "project_id": "p",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def test_clouds_of_openstack_are_a_file() -> None:
    inputs = {**LOGIN, "project": "p", "domain": "d", "project_domain_name": "pd", "region": "r", "verify_ssl": False}
    [text] = injected(managed("openstack", **inputs), FOLDER).files.values()
    auth = {"auth_url": "h.example.com", "username": "u", "password": SECRET, "project_name": "p"}
    cloud = {"auth": {**auth, "domain_name": "d", "project_domain_name": "pd"}, "verify": False, "region_name": "r"}
    assert yaml.safe_load(text) == {"clouds": {"devstack": cloud}}


def test_the_ini_of_ovirt_is_a_file() -> None:
    [text] = injected(managed("rhv", **LOGIN, ca_file="/ca.pem"), FOLDER).files.values()
    assert text == (
        f"[ovirt]\novirt_url=h.example.com\novirt_username=u\novirt_password={SECRET}\novirt_ca_file=/ca.pem"
    )


def test_a_ca_of_kubernetes_is_a_file() -> None:
    given = injected(managed("kubernetes_bearer_token", host="h", bearer_token="t", ssl_ca_cert="CERT"), FOLDER)
    assert given.files == {FOLDER / "kubernetes_ca.pem": "CERT"}
    assert given.environment["K8S_AUTH_VERIFY_SSL"] == "True"


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    given = injected(managed("terraform", configuration=SECRET), folder)
    write_files(given, folder)
    [path] = given.files
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (SECRET, 0o600)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


def custom(inputs: dict[str, Any], injectors: dict[str, Any], **values: Any) -> ProviderCredential:
    fields, templates = check_custom(inputs, injectors)
    return ProviderCredential("", values, definition_from("cloud", "Ours", fields, templates))


FIELDS = {
    "fields": [
        {"id": "user", "label": "User"},
        {"id": "word", "label": "Word", "secret": True},
        {"id": "strict", "label": "Strict", "type": "boolean"},
    ]
}


def test_a_custom_type_renders_files_and_variables() -> None:
    templates = {
        "file": {"template.ini": "[a]\nuser={{ user }}\n", "template.key": "{{ word }}"},
        "env": {
            "OURS_INI": "{{ tower.filename.ini }}",
            "OURS_KEY": "{{ tower.filename.key }}",
            "OURS_LOGIN": "{{ user | upper }}:{{ word }}",
            "OURS_STRICT": "{% if strict %}yes{% else %}no{% endif %}",
        },
        "extra_vars": {"ours": "{{ user }}"},
    }
    given = injected(custom(FIELDS, templates, user="me", word=SECRET), FOLDER)
    assert given.files == {FOLDER / "credential_1": "[a]\nuser=me\n", FOLDER / "credential_2": SECRET}
    assert given.environment == {
        "OURS_INI": f"{FOLDER}/credential_1",
        "OURS_KEY": f"{FOLDER}/credential_2",
        "OURS_LOGIN": f"ME:{SECRET}",
        "OURS_STRICT": "no",
    }
    assert given.hidden == {"OURS_LOGIN"}


def test_a_lone_file_is_tower_filename() -> None:
    templates = {"file": {"template": "{{ word }}"}, "env": {"OURS": "{{ tower.filename }}"}}
    assert injected(custom(FIELDS, templates, word="w"), FOLDER).environment == {"OURS": f"{FOLDER}/credential_1"}


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("{{ nope }}", "'nope' is undefined"),
        ("{% for a in user %}x{% endfor %}", "for is not allowed"),
        ("{{ user * 1000000000 }}", "mul is not allowed"),
        ("{{ user.__class__ }}", "'__class__' is undefined"),
        ("{{ user['x'] }}", "getitem is not allowed"),
        ("{{ user.upper() }}", "call is not allowed"),
        ("{{ tower.other }}", "'other' is undefined"),
        ("{{ tower.filename }}", "has no file template"),
        ("{{ user | map('x') }}", "filter 'map' is not allowed"),
        ("{% include 'x' %}", "include is not allowed"),
        ("{{ user", "no Jinja template"),
        ("x" * 65537, "at most 65536"),
    ],
)
def test_a_template_beyond_its_bounds_is_refused(template: str, fault: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_custom(FIELDS, {"env": {"OURS": template}})
    assert "env.OURS" in caught.value.message
    assert fault in caught.value.message


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", "PYTHONPATH", "ANSIBLE_CONFIG", "CRATON_INV_X", "a b", "1A"])
def test_variables_by_which_other_code_would_run_are_refused(name: str) -> None:
    with pytest.raises(InvalidField, match="env:"):
        check_custom(FIELDS, {"env": {name: "x"}})


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ([], "Expected an object"),
        ({"other": 1}, r"Additional properties are not allowed \('other'"),
        ({"fields": {}}, "fields: a list"),
        ({"fields": [{"label": "x"}]}, "'id' is a required property"),
        ({"fields": [{"id": "x"}]}, "'label' is a required property"),
        ({"fields": [{"id": "a-b", "label": "x"}]}, "invalid variable name"),
        ({"fields": [{"id": "tower", "label": "x"}]}, "invalid variable name"),
        ({"fields": [{"id": "a", "label": "x", "type": "int"}]}, "string or boolean"),
        ({"fields": [{"id": "a", "label": "x", "type": "boolean", "secret": True}]}, "a boolean has no secret"),
        ({"fields": [{"id": "a", "label": "x"}, {"id": "a", "label": "y"}]}, "there twice"),
        ({"fields": [{"id": "a", "label": "x", "ask_at_runtime": True}]}, "'ask_at_runtime' is not supported"),
        ({"fields": [{"id": "a", "label": "x", "more": 1}]}, "'more' was unexpected"),
        ({"fields": [{"id": "a", "label": "x", "format": "pdf"}]}, "format is one of"),
        ({"fields": [{"id": "a", "label": "x", "default": True}]}, "a default has the type"),
        ({"fields": [{"id": "a", "label": "x"}], "required": ["b"]}, "required: a list"),
    ],
)
def test_inputs_of_a_type_that_make_no_sense_are_refused(inputs: Any, fault: str) -> None:
    with pytest.raises(InvalidField, match=fault):
        check_custom(inputs, {})


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"x": "y"}, "neither template nor"),
        ({"template": "a", "template.b": "c"}, "multi-file syntax"),
        ({"template.__a__": "c"}, "neither template nor"),
        ({"template": 3}, "not a text"),
        ({"template": "{{ tower.filename }}"}, "has no file template"),
    ],
)
def test_files_of_a_type_that_make_no_sense_are_refused(files: Any, fault: str) -> None:
    with pytest.raises(InvalidField, match=fault):
        check_custom(FIELDS, {"file": files})


def test_what_cannot_be_rendered_tells_nothing_of_the_values() -> None:
    with pytest.raises(UpdateFailed) as caught:
        render("{{ word | tojson }}{{ other }}", {"word": SECRET}, {})
    assert SECRET not in repr(caught.value)


def test_secrets_are_blackened_as_texts_quote_them() -> None:
    secret = "pa ss/wo\"rd'ä\nsecond-line"
    hide = hiding([secret, "abc"])
    texts = [secret, "second-line", json.dumps(secret), "https://u:pa%20ss%2Fwo%22rd%27%C3%A4@h/", repr(secret), "abc"]
    for text in texts[:-1]:
        shown = hide(f"before {text} after")
        assert "**********" in shown
        assert "rd" not in shown
        assert "line" not in shown
    assert hide("abc") == "abc"  # shorter than four characters: a word of any text
    assert hide_within(hide, {"second-line": ["second-line", 1]}) == {"second-line": ["**********", 1]}
