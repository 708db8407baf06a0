"""Scores a trained image classifier: `nasnet-keras eval`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("eval")
