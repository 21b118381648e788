from pathlib import Path

import pytest

from intendant.config import Config
from intendant.errors import InputError
from intendant.intents import Intent, Step
from intendant.uploads import take_uploads

INTENT = Intent(name="file", title="t", path="", options={}, uploads=("file_source",))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "files" / "sub").mkdir(parents=True)
    (tmp_path / "files" / "sub" / "motd").write_text("hello")
    (tmp_path / "vault.key").write_text("secret")
    (tmp_path / "snapshot").mkdir()
    return Config(project_dir=tmp_path, state_dir=tmp_path / "state")


def take(config: Config, source: object) -> Path:
    step = Step.model_validate({"intent": "file", "params": {"file_source": source, "file_path": "/x"}})
    taken = take_uploads(config, INTENT, step, config.project_dir / "snapshot")
    assert taken.params["file_path"] == "/x"
    return Path(str(taken.params["file_source"]))


@pytest.mark.parametrize("named", ["sub/motd", "{project}/files/sub/motd", "sub/../sub/motd"])
def test_a_file_of_the_upload_folder_is_sent_as_it_was_when_planned(config: Config, named: str) -> None:
    copy = take(config, named.format(project=config.project_dir))
    (config.project_dir / "files" / "sub" / "motd").write_text("changed later")
    assert copy.is_relative_to(config.project_dir / "snapshot")
    assert copy.read_text() == "hello"


@pytest.mark.parametrize("named", ["../vault.key", "/etc/passwd", "{project}/vault.key", "link", "folder/vault.key"])
def test_no_other_file_of_this_machine_can_be_sent(config: Config, named: str) -> None:
    (config.project_dir / "files" / "link").symlink_to(config.project_dir / "vault.key")
    (config.project_dir / "files" / "folder").symlink_to(config.project_dir)
    with pytest.raises(InputError, match="only files below"):
        take(config, named.format(project=config.project_dir))


@pytest.mark.parametrize("named", ["none", "sub", "x" * 5000, {"from_var": "x"}])
def test_what_is_no_file_is_an_error_that_names_the_param(config: Config, named: object) -> None:
    with pytest.raises(InputError, match="file_source: "):
        take(config, named)


def test_steps_without_uploads_are_left_alone(config: Config) -> None:
    step = Step(intent="file", params={"file_path": "/x"})
    assert take_uploads(config, INTENT, step, config.project_dir / "snapshot") == step


def test_folder_and_limit_are_those_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "x").write_text("12345")
    (tmp_path / "snapshot").mkdir()
    own = Config(project_dir=tmp_path, state_dir=tmp_path / "state", upload_dir="outbox", max_file_bytes=5)
    assert take(own, "x").read_text() == "12345"
    (tmp_path / "outbox" / "x").write_text("123456")
    with pytest.raises(InputError, match="max_file_bytes"):
        take(own, "x")
