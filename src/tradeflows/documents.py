"""YAML from outside: read by a safe loader, or refused with a stated error."""

from __future__ import annotations

from typing import Any

import yaml

from tradeflows.errors import SchemaMismatch

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, faster where it is compiled in
# what PyYAML lets through on bad scalars and deep nesting
_UNREADABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError,
               OverflowError)  # fmt: skip


def parsed(text: bytes, what: str, todo: str, *, aliases: bool = False) -> Any:
    """Return what a YAML text holds; ``aliases``, which may unfold, only in our own files.

    Examples
    --------
    >>> parsed(b"a: [1, x]", "x.yml", "restore it")
    {'a': [1, 'x']}
    >>> parsed(b"a: &b 1", "x.yml", "restore it")
    {'a': 1}
    """
    try:
        events = () if aliases or b"*" not in text else yaml.parse(text, _LOADER)
        if any(isinstance(event, yaml.AliasEvent) for event in events):
            raise ValueError("an alias, which may unfold without end")
        return yaml.load(text.decode(), _LOADER)  # noqa: S506 - a safe loader
    except _UNREADABLE as error:
        raise SchemaMismatch(
            f"{what} is not readable YAML ({type(error).__name__})",
            "YAML" if aliases else "YAML without aliases",
            todo,
        ) from None
