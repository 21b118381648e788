"""Projects over lab hosts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from lab.hosts import LabHost
from support.projects import APPROVED_BY_POLICY, Project, make_project

ProjectOf = Callable[..., Project]


@pytest.fixture
def project_of(tmp_path: Path) -> ProjectOf:
    """A function from lab hosts (by inventory name) to a project over them."""

    def build(
        hosts: Mapping[str, LabHost],
        settings: str = APPROVED_BY_POLICY,
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> Project:
        variables = {name: host.inventory_vars() for name, host in hosts.items()}
        return make_project(tmp_path / "project", variables, settings=settings, groups=groups)

    return build
