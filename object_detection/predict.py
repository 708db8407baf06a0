"""Finds objects in pictures: `nasnet-keras detect predict`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("detect predict")
