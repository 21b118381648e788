"""What hosts say of themselves, topic by topic: what is asked, and how the answers are read. Pure: no I/O, no clock."""
