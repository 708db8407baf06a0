"""Strategies: which architecture to try next."""
