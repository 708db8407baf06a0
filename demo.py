"""Opens a page to try a network on pictures: `nasnet-keras demo`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("demo")
