"""The documentation pages in a real browser: every operation is there, and nothing is fetched from elsewhere."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from craton_inv.settings import Settings
from tests.serving import served

pytestmark = pytest.mark.full

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    # Whatever the page or the browser would fetch from elsewhere has no address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(Settings(data_dir=tmp_path_factory.mktemp("data"))) as url:
        yield url


def dom(url: str, profile: Path) -> str:
    """The page as the browser has it after loading."""
    browser = os.environ.get("CRATON_INV_TEST_CHROMIUM")
    if browser is None:
        pytest.skip("no Chromium on this machine; the list `Beyond Python wheels` says why")
    command = [browser, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_the_page_shows_every_operation_of_the_document(url: str, dialect: str, tmp_path: Path) -> None:
    document = httpx.get(f"{url}/{dialect}/openapi.json", timeout=60).json()
    page = dom(f"{url}/{dialect}/docs", tmp_path)
    summaries = {one["summary"] for methods in document["paths"].values() for one in methods.values()}
    assert len(summaries) > 20
    assert [text for text in sorted(summaries) if text not in page] == []


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_the_page_names_no_other_server(url: str, dialect: str, tmp_path: Path) -> None:
    page = dom(f"{url}/{dialect}/docs", tmp_path)
    assert "src=" not in page
    assert "<link" not in page
