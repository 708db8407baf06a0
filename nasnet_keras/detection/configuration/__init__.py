"""The detectors by name, and everything that fixes the training of one."""
