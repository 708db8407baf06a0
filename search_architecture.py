"""Searches for the cells of a network, and shows what was found: `nasnet-keras search`."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("search")
