"""Files and directories: written whole or not at all, locked, and read where they can be read."""
