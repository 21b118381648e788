"""What keeps a file system from being mounted is said before."""

from pathlib import Path

from intendant.ansible.modules.mountable import read_fields
from roles.running import run_module


def test_the_kernel_knows_some_file_systems_and_not_others() -> None:
    assert run_module("mountable", type="tmpfs")["problems"]["kernel"] == ""
    assert "no-such-fs" in run_module("mountable", type="no-such-fs")["problems"]["kernel"]


def test_a_device_must_be_there_and_be_one(tmp_path: Path) -> None:
    for check in (True, False):
        missing = run_module("mountable", check=check, device=str(tmp_path / "sdx"))
        assert "has no device" in missing["problems"]["source"]
    assert "no block device" in run_module("mountable", device="/dev/null")["problems"]["source"]


def test_a_folder_may_come_in_an_earlier_step_of_the_same_plan(tmp_path: Path) -> None:
    predicted = run_module("mountable", check=True, folder=str(tmp_path / "later"))
    assert predicted["problems"]["source"] == ""
    assert "assumed" in predicted["blind_spot"]
    assert "does not exist" in run_module("mountable", folder=str(tmp_path / "later"))["problems"]["source"]
    assert "blind_spot" not in run_module("mountable", check=True, folder=str(tmp_path))


def test_a_place_must_be_real_and_free(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert "symbolic link" in run_module("mountable", place=str(tmp_path / "link" / "x"))["problems"]["place"]
    assert "something else" in run_module("mountable", place="/proc")["problems"]["place"]
    unit = tmp_path / "x.mount"
    unit.touch()
    ours = run_module("mountable", place="/proc", unit_file=str(unit))
    assert (ours["problems"]["place"], ours["managed"], ours["mounted"]) == ("", True, True)


def test_tables_are_read_without_comments_and_with_their_escapes(tmp_path: Path) -> None:
    table = tmp_path / "fstab"
    table.write_text("# /dev/a /commented ext4\n\nUUID=1 /srv/my\\040data ext4 defaults 0 2\nshort\n", encoding="utf-8")
    assert read_fields(str(table), 1) == {"/srv/my data"}
