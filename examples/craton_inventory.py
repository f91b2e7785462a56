#!/usr/bin/env python3
"""An inventory of craton-inv for Ansible: ansible-inventory -i craton_inventory.py --graph

Needs nothing but Python. Copy it anywhere and tell it by environment variables:
  CRATON_INV_URL        address of the service, default http://127.0.0.1:8000
  CRATON_INV_TOKEN      a token of somebody who may read the inventory
  CRATON_INV_INVENTORY  id or name of the inventory
"""

import http.client
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

USAGE = "usage: craton_inventory.py --list | --host NAME"
TIMEOUT_S = 60
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The service never redirects: who does is something else, and must not be sent the token."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing, so that the redirect itself is the answer."""


def get(path: str, **query: str) -> bytes:
    """The body at `path` of the service. Ends the program with a sentence when there is none."""
    url = os.environ.get("CRATON_INV_URL", "http://127.0.0.1:8000").rstrip("/")
    token = os.environ.get("CRATON_INV_TOKEN", "").strip()
    if not (token.isascii() and token.isprintable()):
        sys.exit("CRATON_INV_TOKEN is no token: it has characters that no token has.")
    try:
        address = urllib.parse.urlsplit(url)
        if address.scheme not in ("http", "https"):
            sys.exit(f"CRATON_INV_URL is {url!r}; it must start with http:// or https://.")
        request = urllib.request.Request(f"{url}{path}?{urllib.parse.urlencode(query)}")  # noqa: S310 - checked above
        request.add_header("Authorization", f"Bearer {token}")
        opener = urllib.request.build_opener(NoRedirects())
        if address.hostname in LOOPBACK:
            opener = urllib.request.build_opener(NoRedirects(), urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TIMEOUT_S) as response:
            body: bytes = response.read()
            return body
    except urllib.error.HTTPError as error:
        sys.exit(f"{url}{path} answered {error.code}: {error.read(500).decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"No answer from {url}: {error}. Is the service running?")
    except (ValueError, http.client.HTTPException) as error:
        sys.exit(f"No good answer from {url}: {error}. Is CRATON_INV_URL the address of the service?")


def inventory_id() -> str:
    """The id that CRATON_INV_INVENTORY is, or of the inventory that has it as its name."""
    which = os.environ.get("CRATON_INV_INVENTORY", "")
    if not which:
        sys.exit("Set CRATON_INV_INVENTORY to the id or the name of an inventory.")
    if which.isascii() and which.isdigit():
        return which
    try:
        ids = [str(found["id"]) for found in json.loads(get("/v2/inventories/", name=which))["results"]]
    except (ValueError, LookupError, TypeError):
        sys.exit("The answer is no list of inventories. Is CRATON_INV_URL the address of the service?")
    if len(ids) != 1:
        sys.exit(f"{len(ids)} inventories that this token may see are named {which!r}; set the id.")
    return ids[0]


def main(arguments: list[str]) -> None:
    """Print what Ansible asks for."""
    if arguments == ["--list"]:
        query = {"hostvars": "1"}
    elif len(arguments) == 2 and arguments[0] == "--host" and arguments[1]:
        query = {"host": arguments[1]}
    else:
        sys.stderr.write(f"{USAGE}\n")
        sys.exit(2)
    sys.stdout.buffer.write(get(f"/v2/inventories/{inventory_id()}/script/", **query))


if __name__ == "__main__":
    main(sys.argv[1:])
