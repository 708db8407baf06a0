"""NASNet and PNASNet: training, evaluation, search, detection and export from the command line."""
