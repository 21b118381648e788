"""The one list of tools, in the order in which clients see them."""

from intendant.tools.base import ToolSpec
from intendant.tools.commands import GET_OUTPUT, RUN_COMMAND
from intendant.tools.enrolling import ADD_HOST, EDIT_HOST, REMOVE_HOST
from intendant.tools.exporting import EXPORT_PLAYBOOK
from intendant.tools.files import DOWNLOAD_FILE, LIST_FILES, READ_FILE
from intendant.tools.hosts import CHECK_HOSTS, LIST_HOSTS
from intendant.tools.intents import DESCRIBE_INTENT, FIND_INTENTS
from intendant.tools.looking import HOST_FACTS, TAIL_LOG
from intendant.tools.plans import GET_PLAN, PLAN_CHANGES
from intendant.tools.runs import APPLY_PLAN, CANCEL_RUN, GET_RUN, LIST_HISTORY

TOOLS: tuple[ToolSpec, ...] = (
    LIST_HOSTS,
    CHECK_HOSTS,
    ADD_HOST,
    EDIT_HOST,
    REMOVE_HOST,
    RUN_COMMAND,
    GET_OUTPUT,
    TAIL_LOG,
    HOST_FACTS,
    LIST_FILES,
    READ_FILE,
    DOWNLOAD_FILE,
    FIND_INTENTS,
    DESCRIBE_INTENT,
    PLAN_CHANGES,
    GET_PLAN,
    APPLY_PLAN,
    GET_RUN,
    CANCEL_RUN,
    LIST_HISTORY,
    EXPORT_PLAYBOOK,
)
