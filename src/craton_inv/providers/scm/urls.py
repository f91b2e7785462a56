"""URLs of git repositories: https, or ssh with a key, through the door to the outside; nothing else."""

from craton_inv.errors import BlockedAddress, InvalidField
from craton_inv.http_out import check_url
from craton_inv.http_out.ssh_url import check_ssh_url, is_ssh_url
from craton_inv.settings import Settings


def check_git_url(url: str, settings: Settings, field: str = "scm_url") -> None:
    """Raise InvalidField for a URL that is never fetched from; the sentence holds nothing of its credentials."""
    if "?" in url or "#" in url:
        raise InvalidField(field, "The URL of a repository has neither a query nor a fragment.", code="blocked_address")
    try:
        if is_ssh_url(url):
            check_ssh_url(url, settings.http_out_allow)
        else:
            check_url(url, settings.http_out_allow)
    except BlockedAddress as error:
        raise InvalidField(field, error.message, code=error.code) from error
