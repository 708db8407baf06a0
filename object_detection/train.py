"""Trains a detector: `nasnet-keras detect train`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("detect train")
