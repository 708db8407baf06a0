"""Converts the original's detectors and back: `nasnet-keras detect convert`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("detect convert")
