"""Says what is in pictures: `nasnet-keras classify`, from a checkout."""

from nasnet_keras.programs.start import run

if __name__ == "__main__":
    run("classify")
