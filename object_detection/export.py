"""Exports a trained detector: `nasnet-keras detect export`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("detect export")
