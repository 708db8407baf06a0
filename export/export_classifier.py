"""Writes a trained classifier in several formats: `nasnet-keras export`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("export")
