"""Writes a small detection dataset: `nasnet-keras detect make-toy-dataset`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("detect make-toy-dataset")
