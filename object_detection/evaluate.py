"""Scores a trained detector as COCO does: `nasnet-keras detect eval`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("detect eval")
