"""Decodes every image of your own dataset: `nasnet-keras check-data`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("check-data")
