"""URLs of git repositories: https through the door to the outside, nothing else."""

import re

from craton_inv.errors import BlockedAddress, InvalidField
from craton_inv.http_out import check_url
from craton_inv.settings import Settings

_SSH = re.compile(r"(?i)(git\+)?ssh://|[^/@\s]+@[^/:\s]+:|[a-z0-9.-]+:(?!//)")


def check_git_url(url: str, settings: Settings, field: str = "scm_url") -> None:
    """Raise InvalidField for a URL that is never fetched from; the sentence holds nothing of its credentials."""
    if _SSH.match(url) and not url.lower().startswith(("file:", "ext:")):
        raise InvalidField(
            field,
            "Repositories are fetched over https; ssh would need programs that this service does not run. Give the "
            "https URL of the repository, with a source control credential if it is private.",
            code="blocked_address",
        )
    if "?" in url or "#" in url:
        raise InvalidField(field, "The URL of a repository has neither a query nor a fragment.", code="blocked_address")
    try:
        check_url(url, settings.http_out_allow)
    except BlockedAddress as error:
        raise InvalidField(field, error.message, code=error.code) from error
