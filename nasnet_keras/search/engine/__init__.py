"""A search that survives any kill: its books and its loop."""
