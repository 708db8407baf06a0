"""Arithmetic of layers in the form that one backend computes fastest."""
