"""Checks that a wheel holds the package with all of its files, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main(wheel: str) -> None:
    listed = subprocess.check_output(["git", "ls-files", "nasnet_keras"], cwd=ROOT, text=True)
    expected = set(listed.splitlines())
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    for what, names in (("lacks", expected - found), ("has besides", found - expected)):
        if names:
            sys.exit(f"error: {wheel} {what}: {', '.join(sorted(names))}")
    print(f"{wheel}: {len(found)} files, as in the checkout")


if __name__ == "__main__":
    main(sys.argv[1])
