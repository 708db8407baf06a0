"""Batches of images, in memory or read from disk while a network trains."""
