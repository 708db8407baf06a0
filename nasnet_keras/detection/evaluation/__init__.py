"""COCO's numbers for a detector, and its mistakes."""
