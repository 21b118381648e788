"""The least that a server can be: what every server written with the SDK costs to start."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("bare")


@server.tool()
def echo(text: str) -> str:
    """The same text."""
    return text


if __name__ == "__main__":
    server.run("stdio")
