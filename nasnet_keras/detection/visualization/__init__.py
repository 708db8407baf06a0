"""Boxes on pictures, and sheets of them."""
