"""A trained detector on pictures of any size."""
