"""The deletion guard: a provider that suddenly delivers little or nothing does not empty the inventory."""

from dataclasses import dataclass

from craton_inv.errors import UpdateFailed


@dataclass(frozen=True)
class DeletionGuard:
    """At most the larger of `objects` and `share` (0 to 1) of what the source owns may go in one refresh."""

    objects: int = 20
    share: float = 0.5

    def check(self, name: str, gone: int, owned: int) -> None:
        """Raise UpdateFailed with the figures when `gone` of `owned` objects of a collection are too many."""
        allowed = max(self.objects, int(owned * self.share))
        if gone > allowed:
            raise UpdateFailed(
                f"This refresh would delete {gone} of {owned} {name}; at most {allowed} are deleted without "
                "force_delete. Nothing was changed. Check the source; to delete them, update with force_delete."
            )


def check_empty(delivered: int, owned: int) -> None:
    """Raise UpdateFailed for an empty answer of a source that delivered objects before."""
    if delivered == 0 and owned > 0:
        raise UpdateFailed(
            f"The source delivered nothing, but the inventory has {owned} objects of it. Nothing was changed. "
            "Check the source; to accept the empty answer, start the update with force_delete."
        )
