"""Modules of the same name in several apps: each app adds its part without anybody above knowing which apps do."""

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


def parts(apps: Iterable[str], name: str) -> list[ModuleType]:
    """Return the modules of that name, in the order of the apps; apps without one are passed over."""
    return [import_module(f"{app}.{name}") for app in apps if find_spec(f"{app}.{name}")]
