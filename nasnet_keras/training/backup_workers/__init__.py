"""Processes on a Ray cluster compute the gradients of a step, and the first of them are enough."""
