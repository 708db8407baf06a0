"""Converts a TF-Slim checkpoint into a .keras file: `nasnet-keras convert`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("convert")
