"""Each environment of a server runs that server's tests; `make test` runs none of them."""

import importlib.util

collect_ignore = [
    f"test_{server}.py" for server in ("mlserver", "kserve") if not importlib.util.find_spec(server)
]
