"""The MCP tools: ``table.TOOLS`` lists them all, the modules beside it hold their functions."""
