"""What must hold for the repository as a whole, so that a fresh clone and a wheel work."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import intendant
from intendant.config import Config, load_config
from intendant.policy import Policy

LINES_LIMIT = 350
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==[A-Za-z0-9.]+( ; [^@:/]+)?$")


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def tracked(repository: Path) -> list[Path]:
    """Files that are, or are about to be, under version control."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True).stdout
    files = [repository / name for name in listed.splitlines()]
    assert len(files) > 50
    return [path for path in files if path.is_file()]


@pytest.fixture(scope="module")
def pins(repository: Path) -> list[str]:
    return [line for line in (repository / "constraints.txt").read_text().splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=repository, capture_output=True, check=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def documents(repository: Path) -> Iterator[Path]:
    yield from sorted(repository.glob("*.md"))
    yield from sorted((repository / "docs").rglob("*.md"))


def anchors(document: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_no_lock_file_is_kept_as_it_names_package_indexes(tracked: list[Path]) -> None:
    assert not [path for path in tracked if path.name in ("uv.lock", "poetry.lock", "package-lock.json")]


def test_constraints_are_exact_pins_without_any_address(pins: list[str]) -> None:
    assert [pin for pin in pins if not PIN.match(pin)] == []


def test_constraints_pin_every_direct_dependency(project: dict[str, Any], pins: list[str]) -> None:
    groups = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    direct = {normalize(re.split(r"[<>=\[ ;]", item)[0]) for group in groups for item in group}
    assert direct - {normalize(pin.split("==")[0]) for pin in pins} == set()


def test_what_is_installed_has_the_version_of_the_package() -> None:
    assert importlib.metadata.version("intendant") == intendant.__version__


def test_every_runtime_dependency_is_imported_and_every_import_is_declared(
    repository: Path, project: dict[str, Any]
) -> None:
    owners = importlib.metadata.packages_distributions()
    used = {name.partition(".")[0] for path in (repository / "src").rglob("*.py") for name in imported_modules(path)}
    external = used - set(sys.stdlib_module_names) - {"intendant"}
    declared = {normalize(re.split(r"[<>=\[ ;]", item)[0]) for item in project["project"]["dependencies"]}
    found = {normalize(owner) for name in external for owner in owners[name]}
    # They are mcp's own parts, and come with it.
    assert declared == found - {"mcp-types", "starlette", "anyio"}


def test_modules_for_targets_import_nothing_that_a_target_lacks(repository: Path) -> None:
    modules = sorted((repository / "src/intendant/ansible/modules").glob("*.py"))
    assert modules
    allowed = (*sys.stdlib_module_names, "ansible.module_utils")
    strange = {
        (path.name, name)
        for path in modules
        for name in imported_modules(path)
        if not any(name == root or name.startswith(f"{root}.") for root in allowed)
    }
    assert strange == set()


def test_every_make_target_that_is_named_exists(repository: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.M))
    named = {
        (page.name, target)
        for page in documents(repository)
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.M)
    }
    named |= {("run", target) for target in re.findall(r"\d make (\S+)", (repository / ".ci/run").read_text())}
    assert {("README.md", "demo"), ("run", "test")} <= named
    assert {pair for pair in named if pair[1] not in targets} == set()


def test_links_between_documents_lead_somewhere(repository: Path) -> None:
    broken = []
    for document in documents(repository):
        for link in LINK.findall(FENCE.sub("", document.read_text())):
            if link.startswith(("https://", "http://", "mailto:")):
                continue
            name, _, fragment = link.partition("#")
            target = (document.parent / name).resolve() if name else document
            if not target.exists() or (fragment and fragment not in anchors(target)):
                broken.append(f"{document.relative_to(repository)}: {link}")
    assert broken == []


def test_every_setting_is_documented_and_the_example_is_valid(repository: Path, tmp_path: Path) -> None:
    text = (repository / "docs/project-settings.md").read_text()
    fields = {*Config.model_fields, *Policy.model_fields} - {"project_dir", "ansible_cfg", "policy"}
    assert {name for name in fields if f"| `{name}` |" not in text} == set()
    found = re.search(r"^```toml\n(.*?)^```", text, re.M | re.S)
    assert found
    (tmp_path / "intendant.toml").write_text(found[1])
    config = load_config(tmp_path)
    assert config.policy.groups["database"].allowed_intents == ("packages", "service")
    for name in ("plan_ttl_seconds", "recheck_after_seconds", "forks", "database_url"):
        assert getattr(config, name) == Config.model_fields[name].default


def test_no_source_file_has_grown_too_long(repository: Path) -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in (repository / "src").rglob("*.py")}
    assert {str(path): lines for path, lines in lengths.items() if lines > LINES_LIMIT} == {}


def test_no_path_of_this_machine_is_in_the_repository(repository: Path, tracked: list[Path]) -> None:
    own = (str(repository).encode() + b"/", str(Path.home() / ".").encode() + b"/.pyenv")
    assert [str(path) for path in tracked if any(word in path.read_bytes() for word in own)] == []


def test_the_wheel_holds_roles_playbooks_and_modules(repository: Path, wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    expected = {
        f"intendant/{place}/{path.relative_to(folder).as_posix()}"
        for place, folder in {
            "ansible/roles": repository / "roles",
            "ansible/playbooks": repository / "playbooks",
            ".": repository / "src/intendant",
        }.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "intendant/ansible/roles/python/meta/argument_specs.yml" in expected
    assert {name.replace("/./", "/") for name in expected} - inside == set()


def test_the_wheel_offers_the_command_and_the_version(wheel: zipfile.ZipFile) -> None:
    information = f"intendant-{intendant.__version__}.dist-info"
    assert "intendant = intendant.cli:main" in wheel.read(f"{information}/entry_points.txt").decode()
    assert "intendant/py.typed" in wheel.namelist()
    assert f"{information}/licenses/LICENSE" in wheel.namelist()
