"""The one bridge that all labs of the machine share, and each host's wire into it."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from pathlib import Path

from .commands import run_tool
from .errors import LabError
from .state import PREFIX, read_json, runtime_dir, write_json

BRIDGE = f"{PREFIX}br"


@dataclass(frozen=True)
class Network:
    """A subnet whose first address is the machine's own; the others are counted from it."""

    subnet: IPv4Network

    @property
    def gateway(self) -> str:
        """The machine's address on the bridge."""
        return self.address(1)

    @property
    def indexes(self) -> range:
        """The numbers of hosts."""
        return range(2, self.subnet.num_addresses - 2)

    @property
    def unused_address(self) -> str:
        """An address of the network that no host ever gets."""
        return self.address(self.indexes.stop)

    def address(self, index: int) -> str:
        """The address of host number `index`."""
        return str(self.subnet[index])


def ensure_network() -> Network:
    """The machine's lab network, made when there is none. Call it with the machine lock held."""
    record = read_json(runtime_dir() / "network.json")
    if record and bridge_exists():
        return Network(IPv4Network(record["subnet"]))
    remove_network()
    network = Network(_free_subnet())
    batch = [
        f"link add {BRIDGE} type bridge",
        f"addr add {network.gateway}/{network.subnet.prefixlen} dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ]
    run_tool(["ip", "-batch", "-"], stdin="\n".join(batch))
    # the hosts have no way out, also where the machine forwards for others
    Path(f"/proc/sys/net/ipv4/conf/{BRIDGE}/forwarding").write_text("0")
    write_json(runtime_dir() / "network.json", {"subnet": str(network.subnet)})
    return network


def remove_network() -> None:
    """Delete the bridge, if any. Call it with the machine lock held."""
    if bridge_exists():
        run_tool(["ip", "link", "delete", BRIDGE])
    (runtime_dir() / "network.json").unlink(missing_ok=True)


def bridge_exists() -> bool:
    """Whether the lab's bridge is there."""
    return Path("/sys/class/net", BRIDGE).exists()


def add_wire(netns: str, index: int, network: Network) -> None:
    """Make the network namespace `netns` with an interface `eth0` that is on the bridge."""
    veth = wire_name(index)
    run_tool(["ip", "netns", "add", netns])
    outside = [f"link add {veth} type veth peer name eth0 netns {netns}", f"link set {veth} master {BRIDGE} up"]
    run_tool(["ip", "-batch", "-"], stdin="\n".join(outside))
    inside = [
        "link set lo up",
        f"addr add {network.address(index)}/{network.subnet.prefixlen} brd + dev eth0",
        "link set eth0 up",
        f"route add default via {network.gateway}",  # leads nowhere, but Ansible's default address comes from it
    ]
    run_tool(["ip", "-n", netns, "-batch", "-"], stdin="\n".join(inside))


def remove_wire(netns: str, index: int, *, timeout: float = 10) -> None:
    """Delete both, and wait (seconds) until they are gone. Raises LabError when they stay."""
    veth = Path("/sys/class/net", wire_name(index))
    path = Path("/run/netns", netns)
    if veth.exists():
        run_tool(["ip", "link", "delete", veth.name], check=False)
    if path.exists():
        run_tool(["ip", "netns", "delete", netns], check=False)
    deadline = time.monotonic() + timeout
    while veth.exists() or path.exists():
        if time.monotonic() > deadline:
            raise LabError(f"{netns} or {veth.name} could not be deleted")
        time.sleep(0.05)


def wire_name(index: int) -> str:
    """The machine's end of host number `index`'s wire."""
    return f"{PREFIX}v{index}"


def namespace_pids(netns: str) -> list[int]:
    """The processes in a network namespace; none when it does not exist."""
    return [int(pid) for pid in run_tool(["ip", "netns", "pids", netns], check=False).stdout.split()]


def free_port(address: str, first: int) -> int:
    """A TCP port on `address` that nobody listens on, from `first` on. Raises LabError when 1000 are taken."""
    for port in range(first, first + 1000):  # not the kernel's choice: apt-cacher-ng cannot bind from 32768 on
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    raise LabError(f"no free port on {address} from {first} on")


def _free_subnet() -> IPv4Network:
    shown = run_tool(["ip", "-4", "-j", "route", "show", "table", "all"]).stdout or "[]"
    routes = [route.get("dst", "default") for route in json.loads(shown)]
    taken = [ip_network(dst, strict=False) for dst in routes if dst[0].isdigit()]
    for number in range(256):
        subnet = IPv4Network(f"10.{213 + number // 64}.{number % 64 * 4}.0/22")
        if not any(subnet.overlaps(other) for other in taken if isinstance(other, IPv4Network)):
            return subnet
    raise LabError("no free 10.x.y.0/22 for the lab's bridge")
