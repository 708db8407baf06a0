"""The papers' detector: its data, its parts, its evaluation."""
