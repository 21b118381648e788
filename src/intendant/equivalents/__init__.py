"""Shell commands that an intent does as well: from the text of a command to the steps of a plan."""
