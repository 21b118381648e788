import os
from collections.abc import Callable
from pathlib import Path

import pytest

from intendant.config import load_config
from intendant.inventory import Inventory
from intendant.sources import sign_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "ansible.cfg").write_text("[defaults]\ninventory = inventory\n")
    (tmp_path / "inventory" / "group_vars").mkdir(parents=True)
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "inventory" / "hosts.yml").write_text("all:\n  hosts:\n    web1:\n      colour: red\n")
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        lambda project: (project / "inventory" / "hosts.yml").write_text("all:\n  hosts:\n    web2:\n"),
        lambda project: (project / "inventory" / "more.ini").write_text("web3\n"),
        lambda project: (project / "inventory" / "group_vars" / "all.yml").write_text("a: 1\n"),
        lambda project: (project / "host_vars" / "web1.yml").write_text("a: 1\n"),
        lambda project: (project / "ansible.cfg").write_text("[defaults]\ninventory = inventory\nforks = 3\n"),
        lambda project: (project / "inventory" / "hosts.yml").rename(project / "inventory" / "other.yml"),
    ],
)
def test_every_change_of_a_file_changes_the_signature(project: Path, change: Callable[[Path], object]) -> None:
    before = sign_files(load_config(project))
    assert before is not None
    assert sign_files(load_config(project)) == before
    change(project)
    assert sign_files(load_config(project)) != before


@pytest.mark.parametrize(
    ("name", "text", "mode"),
    [
        ("script", "#!/bin/sh\n", 0o755),
        ("hosts.sh", "#!/bin/sh\n", 0o644),
        ("cloud.yml", "plugin: amazon.aws.aws_ec2\n", 0o644),
        ("cloud.yaml", "{plugin: amazon.aws.aws_ec2}\n", 0o644),
        ("cloud.yml", '---\n  {\n "regions": [],\n "plugin": "amazon.aws.aws_ec2"}\n', 0o644),
        ("broken.yml", "{plugin\n", 0o644),
    ],
)
def test_an_inventory_that_asks_others_is_never_remembered(project: Path, name: str, text: str, mode: int) -> None:
    (project / "inventory" / name).write_text(text)
    (project / "inventory" / name).chmod(mode)
    assert sign_files(load_config(project)) is None


@pytest.mark.parametrize(
    "text", ['{"all": {"hosts": {"web2": {"plugin": "no"}}}}\n', "all:\n  vars:\n    sites: [\n    {a: !vault x}]\n"]
)
def test_an_inventory_in_flow_style_is_remembered(project: Path, text: str) -> None:
    (project / "inventory" / "more.yml").write_text(text)
    assert sign_files(load_config(project)) is not None


@pytest.mark.parametrize("place", ["inventory/linked", "host_vars/web1"])
def test_an_inventory_with_a_link_to_a_folder_is_never_remembered(project: Path, place: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (project / place).symlink_to(tmp_path / "elsewhere")
    assert sign_files(load_config(project)) is None


def test_an_inventory_of_the_machine_is_never_remembered(project: Path) -> None:
    (project / "ansible.cfg").write_text("[defaults]\n")
    assert sign_files(load_config(project)) is None


def test_a_changed_variable_is_read_by_an_inventory_that_was_read_before(project: Path) -> None:
    inventory = Inventory(load_config(project))
    assert inventory.read("web1").hosts["web1"].variables["colour"] == "red"
    hosts = project / "inventory" / "hosts.yml"
    times = hosts.stat()
    hosts.write_text(hosts.read_text().replace("red", "tan"))
    os.utime(hosts, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    assert inventory.read("web1").hosts["web1"].variables["colour"] == "tan"
