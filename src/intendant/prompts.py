"""MCP prompts: the two conversations that people start from a menu."""

from mcp.server.mcpserver import MCPServer

from intendant.tools.state import ServerState


def add_prompts(server: MCPServer[ServerState]) -> None:
    """Offer provision_server and review_plan."""

    @server.prompt(title="Provision a server", description="From what a server is for to a plan that can be approved.")
    def provision_server(hosts: str, purpose: str) -> str:
        return (
            f"Set up {hosts} for this purpose: {purpose}\n\n"
            "1. Look at the hosts with list_hosts, and with find_intents for what each part of the purpose needs.\n"
            "2. Ask me about every choice that the purpose leaves open; do not guess versions, names or paths.\n"
            "3. Make one plan with plan_changes(hosts, steps): all steps, in the order in which they need each other.\n"
            "4. Show me what would change, host by host where they differ, with the diffs and what was not predicted.\n"
            "5. After my word call apply_plan, follow it with get_run, and tell me whether it went as planned."
        )

    @server.prompt(title="Review a plan", description="A plan explained to the person who has to approve it.")
    def review_plan(plan_id: str) -> str:
        return (
            f"Explain plan {plan_id} to me so that I can decide whether to approve it.\n\n"
            f"Read all of it with get_plan(plan_id='{plan_id}', detail='full'), page by page. Then say: what changes "
            "on which hosts, in plain words; what is deleted, restarted or opened to the network; what could not be "
            "predicted; what differs between hosts; and how it could be undone. Quote the diff lines that matter. "
            "Do not apply it, and do not recommend approval: that is mine."
        )
