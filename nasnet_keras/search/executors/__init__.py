"""Where children train: here, on a cluster, in virtual time."""
