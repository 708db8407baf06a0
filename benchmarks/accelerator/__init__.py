"""What `gpu_report.py` measures, a question a file, each part in a process of its own."""
