"""Text for people: as it is, safe for a terminal or a page, with the nearest right name."""
