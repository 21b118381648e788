"""The environment that fixtures of a wider scope than one test plan in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_settings() -> Iterator[None]:
    """Without settings of the machine's own user, which every test is without too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("ANSIBLE_", "INTENDANT_"))]:
            patch.delenv(name)
        yield
