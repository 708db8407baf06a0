"""Images with boxes: reading, augmentation, batches, the toy dataset."""

from nasnet_keras.detection.data.annotation_checks import AnnotationError
from nasnet_keras.detection.data.augmentation import DetectionAugmentation
from nasnet_keras.detection.data.batches import DetectionStream, detection_batches
from nasnet_keras.detection.data.coco_files import read_coco, read_coco_directory
from nasnet_keras.detection.data.datasets import load_detection_index
from nasnet_keras.detection.data.detection_index import DetectionIndex
from nasnet_keras.detection.data.tfds_boxes import read_tfds_boxes
from nasnet_keras.detection.data.toy_dataset import write_toy_dataset
from nasnet_keras.detection.data.voc_files import read_voc

__all__ = [
    "AnnotationError",
    "DetectionAugmentation",
    "DetectionIndex",
    "DetectionStream",
    "detection_batches",
    "load_detection_index",
    "read_coco",
    "read_coco_directory",
    "read_tfds_boxes",
    "read_voc",
    "write_toy_dataset",
]
