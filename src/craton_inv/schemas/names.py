"""What a name may be: the one home of the rules, for both dialects and for refresh-made names alike."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StrictStr, StringConstraints
from pydantic_core import PydanticCustomError

MAX_NAME = 512
MAX_GROUP_BYTES = 240  # a group becomes a file name in a bundle, with an ending
RESERVED_GROUPS = frozenset({"all", "_meta", "ungrouped"})

# Control characters, lone surrogates, line and paragraph separators.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Marks that turn the direction of text: a name must read as it is stored.
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_JINJA = re.compile(r"\{[{%#]")


def name_fault(name: str) -> str:
    """Why `name` is no name for anything; "" when it is one."""
    if not name.strip():
        return "This field may not be blank."
    if len(name) > MAX_NAME:
        return f"Ensure this field has no more than {MAX_NAME} characters."
    for char in name:
        if unicodedata.category(char) in _UNSAFE_CATEGORIES:
            return f"Names cannot hold control characters (found U+{ord(char):04X})."
    turned = _DIRECTION.search(name)
    if turned:
        return f"Names cannot hold marks that turn the direction of text (found U+{ord(turned[0]):04X})."
    return ""


def host_name_fault(name: str) -> str:
    """Why `name` is no host name; "" when it is one. Jinja would be run by the playbooks that see it."""
    return name_fault(name) or ("Host names cannot hold Jinja expressions." if _JINJA.search(name) else "")


def group_name_fault(name: str) -> str:
    """Why `name` is no group name; "" when it is one. A group's name is a path component of a bundle."""
    fault = name_fault(name)
    if fault:
        return fault
    if name in RESERVED_GROUPS:
        return "Invalid group name."
    if name in (".", "..") or "/" in name or "\\" in name:
        return "Invalid group name: it cannot be a path component ('/', '\\', '.' and '..' are refused)."
    if len(name.encode()) > MAX_GROUP_BYTES:
        return f"Ensure this field has no more than {MAX_GROUP_BYTES} bytes."
    return ""


def _checked(fault: str, name: str) -> str:
    if fault:
        raise PydanticCustomError("name", "{reason}", {"reason": fault})
    return name


def check_name(name: str) -> str:
    """`name`, or a validation error of Pydantic."""
    return _checked(name_fault(name), name)


def check_host_name(name: str) -> str:
    """`name`, or a validation error of Pydantic."""
    return _checked(host_name_fault(name), name)


def check_group_name(name: str) -> str:
    """`name`, or a validation error of Pydantic."""
    return _checked(group_name_fault(name), name)


def _trim(value: object) -> object:
    return value.strip(" ") if isinstance(value, str) else value


# The length stands in the OpenAPI documents too; blanks around a name are cut off, as AWX does.
_Text = Annotated[StrictStr, StringConstraints(min_length=1, max_length=MAX_NAME)]
Name = Annotated[_Text, BeforeValidator(_trim), AfterValidator(check_name)]
HostName = Annotated[_Text, BeforeValidator(_trim), AfterValidator(check_host_name)]
GroupName = Annotated[_Text, BeforeValidator(_trim), AfterValidator(check_group_name)]
