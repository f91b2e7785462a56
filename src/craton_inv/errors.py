"""One tree of errors: a class per meaning, raised where it is known, rendered only at the edge of a dialect."""

from collections.abc import Mapping, Sequence


class CratonInvError(Exception):
    """Root. `status` is the HTTP status, `code` a stable machine name, `fields` maps a field to its complaints.

    `key` names the JSON key AWX uses for the sentence ("detail", "error", "msg" or "__all__"); /v1 ignores it.
    """

    status = 500
    code = "internal"
    key = "detail"

    def __init__(
        self,
        message: str,
        *,
        fields: Mapping[str, Sequence[str]] | None = None,
        code: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fields = {name: list(texts) for name, texts in (fields or {}).items()}
        self.headers = dict(headers or {})
        if code is not None:
            self.code = code
        if key is not None:
            self.key = key


class BadRequest(CratonInvError):
    """What was asked makes no sense, whoever asks."""

    status = 400
    code = "bad_request"


class InvalidField(BadRequest):
    """One field of a body or query does not fit."""

    code = "invalid_field"

    def __init__(self, field: str, message: str, *, code: str | None = None) -> None:
        super().__init__(message, fields={field: [message]}, code=code)


class InvalidFields(BadRequest):
    """Several fields do not fit; `fields` holds them all."""

    code = "invalid_field"

    def __init__(self, fields: Mapping[str, Sequence[str]], *, code: str | None = None) -> None:
        first = next(iter(fields), "body")
        texts = list(fields.get(first, ["is not valid"]))
        super().__init__(f"{first}: {texts[0]}", fields=fields, code=code)


class InvalidFilter(BadRequest):
    """A filter that cannot be read or does not fit its fields. `column` counts from 1; 0 when unknown."""

    code = "filter.invalid"
    key = "error"

    def __init__(
        self,
        message: str,
        *,
        column: int = 0,
        line: int = 1,
        expected: Sequence[str] = (),
        code: str | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.column = column
        self.line = line
        self.expected = list(expected)


class BlockedAddress(BadRequest):
    """A URL that the service does not follow: its scheme, its host, or an address that the host stands for."""

    code = "blocked_address"


class RemoteFault(CratonInvError):
    """Another service answered what cannot be used: too much, too slowly, nothing readable, or a refusal."""

    status = 502
    code = "remote_fault"


class Unauthorized(CratonInvError):
    """No or no valid credentials."""

    status = 401
    code = "unauthorized"


class Forbidden(CratonInvError):
    """Known caller, right not given."""

    status = 403
    code = "forbidden"


class NotFound(CratonInvError):
    """Absent, or not for the caller to see: the two are never told apart."""

    status = 404
    code = "not_found"


class MethodNotAllowed(CratonInvError):
    """The object is there but cannot do this now (AWX: not updatable, not cancellable)."""

    status = 405
    code = "not_allowed"


class Conflict(CratonInvError):
    """Clashes with what is stored: duplicates, cycles, busy objects."""

    status = 409
    code = "conflict"
    key = "error"


class Duplicate(Conflict):
    """A unique name is taken. AWX answers 400 with the words "already exists" under __all__; /v1 answers 409."""

    code = "duplicate"
    key = "__all__"


class PreconditionFailed(CratonInvError):
    """If-Match names another generation than the stored one."""

    status = 412
    code = "stale"


class SecretUnreadable(Conflict):
    """A stored secret does not open: changed, copied from elsewhere, or under a retired key. Nothing is shown."""

    code = "secret.unreadable"


class TooLarge(CratonInvError):
    """A body or upload above its limit."""

    status = 413
    code = "too_large"


class UnsupportedMediaType(CratonInvError):
    """A body in a content type that the route does not read."""

    status = 415
    code = "unsupported_media_type"


class ServiceUnavailable(CratonInvError):
    """A part the service stands on is away; the answer carries Retry-After."""

    status = 503
    code = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 5, code: str | None = None) -> None:
        super().__init__(message, code=code, headers={"Retry-After": str(retry_after)})


class TransientError(ServiceUnavailable):
    """A network or another service did not answer as it may a little later: a job is tried again."""

    code = "transient"


class KeyMissing(ServiceUnavailable):
    """A key that secrets are kept under is not configured here: they are not served until it is; all else is."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=60, code="keys.missing")


class UpdateFailed(CratonInvError):
    """An inventory update cannot go on for a reason its reader should see; ends the run as `failed`, never a 500."""

    status = 400
    code = "update.failed"


class UpdateCanceled(CratonInvError):
    """An inventory update was cancelled or ran out of time; all it did is rolled back. `reason`: canceled | timeout."""

    status = 409
    code = "update.canceled"

    def __init__(self, message: str, *, reason: str = "canceled") -> None:
        super().__init__(message)
        self.reason = reason


class SetupError(CratonInvError):
    """The machine or its configuration lacks something; the sentence says what, and the way out."""

    status = 503
    code = "setup"
