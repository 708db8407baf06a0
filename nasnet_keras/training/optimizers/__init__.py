"""TF 1's optimizers, moving averages of the weights, learning rates over steps."""
