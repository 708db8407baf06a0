"""Where the time of a training step goes: kinds of operation, what they need, when they ran."""
