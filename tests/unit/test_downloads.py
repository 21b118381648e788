"""Saving into the download folder: never outside of it, never half a file under its name."""

import stat
from pathlib import Path

import pytest

from intendant.downloads import check_name, saving
from intendant.errors import InputError


def save(folder: Path, name: str, data: bytes = b"new", *, overwrite: bool = False) -> None:
    with saving(folder, check_name(name), overwrite=overwrite) as file:
        file.write(data)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_is_saved_for_its_owner_alone_and_folders_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "down" / "loads"
    save(folder, "web1/log/syslog")
    saved = folder / "web1/log/syslog"
    assert saved.read_bytes() == b"new"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert names(folder) == ["web1", "web1/log", "web1/log/syslog"]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "/etc/x", "../x", "a/../x", "a//b", "a/", "a\nb", "a\0b", "x" * 300, "a/" * 20 + "b", "\u202e"],
)
def test_a_name_that_leads_out_or_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name: "):
        save(tmp_path / "d", name)
    assert not (tmp_path / "d").exists()


def test_links_inside_lead_nowhere(tmp_path: Path) -> None:
    folder, outside = tmp_path / "d", tmp_path / "outside"
    outside.mkdir()
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "file")
    (outside / "file").write_text("keep")
    for name in ("link/x", "link/new/x"):
        with pytest.raises(InputError, match="link"):
            save(folder, name)
    with pytest.raises(InputError, match="already"):
        save(folder, "file")
    save(folder, "file", overwrite=True)
    assert (outside / "file").read_text() == "keep"
    assert not (folder / "file").is_symlink()
    assert names(outside) == ["file"]


def test_the_folder_itself_may_be_a_link_of_the_users(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "d").symlink_to("real")
    save(tmp_path / "d", "x")
    assert (tmp_path / "real" / "x").read_bytes() == b"new"


def test_what_is_there_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    save(tmp_path, "x", b"old")
    with pytest.raises(InputError, match="overwrite"):
        save(tmp_path, "x")
    assert (tmp_path / "x").read_bytes() == b"old"
    save(tmp_path, "x", overwrite=True)
    assert (tmp_path / "x").read_bytes() == b"new"
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="already"):
        save(tmp_path, "folder", overwrite=True)


def test_a_name_that_was_taken_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    def lose_the_race() -> None:
        with saving(tmp_path, ("x",), overwrite=False) as file:
            file.write(b"new")
            (tmp_path / "x").write_text("theirs")

    with pytest.raises(InputError, match="already"):
        lose_the_race()
    assert names(tmp_path) == ["x"]
    assert (tmp_path / "x").read_text() == "theirs"


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def break_off() -> None:
        with saving(tmp_path, ("x",), overwrite=False) as file:
            file.write(b"half")
            file.flush()
            assert len(names(tmp_path)) == 1
            assert "x" not in names(tmp_path)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("a file")
    with pytest.raises(InputError, match="download_dir"):
        save(tmp_path / "d", "x")
