"""The search loop and its journal, which survive any interruption."""
