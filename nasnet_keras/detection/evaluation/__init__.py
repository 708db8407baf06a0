"""COCO's metrics for a detector, and its mistakes."""
