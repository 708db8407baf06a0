"""`python -m nasnet_keras` is the command `nasnet-keras`."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run()
