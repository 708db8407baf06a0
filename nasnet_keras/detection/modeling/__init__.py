"""Faster R-CNN part by part."""
