"""Writes a classifier as a SavedModel: `nasnet-keras export-saved-model`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("export-saved-model")
