"""Shows what a detector sees and gets wrong: `nasnet-keras detect browse`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("detect browse")
