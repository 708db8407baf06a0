"""The programs: flags in, one line for what is wrong, an exit code out."""
