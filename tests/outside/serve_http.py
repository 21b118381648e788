"""The project's MCP server over HTTP on a port of this machine, for checks that cannot start a process of their own."""

import sys
from pathlib import Path

from intendant.app import open_app
from intendant.server import build_server

if __name__ == "__main__":
    build_server(open_app(Path(sys.argv[1]))).run("streamable-http", host="127.0.0.1", port=int(sys.argv[2]))
