"""Object detectors: training, evaluation, prediction, export, and contact sheets of the data.

  nasnet-keras detect make-toy-dataset --output_dir=runs/toy
  nasnet-keras detect train --config=toy --dataset_dir=runs/toy --train_dir=runs/det
  nasnet-keras detect eval --checkpoint_path=runs/det --dataset_dir=runs/toy
  nasnet-keras detect predict --checkpoint_path=runs/det --output_dir=found runs/toy/val2017

A dataset is in COCO's, Pascal VOC's or TFDS's layout; make-toy-dataset writes a small one.
"""
