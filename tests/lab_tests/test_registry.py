"""Which number a host gets. Needs no host."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest

from lab import registry
from lab.errors import LabError
from lab.network import Network
from lab.registry import claim_host, new_lab
from lab.state import write_json


def test_numbers_go_round_and_leave_one_address_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "runtime_dir", lambda: tmp_path)
    network = Network(IPv4Network("127.9.0.0/29"))
    lab = new_lab("lab", tmp_path / "lab", temporary=False, kept=True)
    write_json(tmp_path / "next.json", {"next": network.indexes[-1]})
    claimed = [claim_host(lab, network, f"host{number}", "trixie", "admin") for number in network.indexes]
    addresses = [network.address(record.index) for record in claimed]
    assert addresses == ["127.9.0.5", "127.9.0.2", "127.9.0.3", "127.9.0.4"]
    assert network.unused_address == "127.9.0.6"
    with pytest.raises(LabError, match="all 4 addresses"):
        claim_host(lab, network, "one-more", "trixie", "admin")
