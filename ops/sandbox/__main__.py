"""``python -m ops.sandbox --port 8443 --directory .run/sandbox``: run the sandbox until it is stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from ops.sandbox.certificates import ensure
from ops.sandbox.server import Server


def main() -> None:
    """Read the command line, make the certificates, serve."""
    parser = argparse.ArgumentParser(prog="python -m ops.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--directory", type=Path, default=Path(".run/sandbox"))
    chosen = parser.parse_args()
    chosen.directory.mkdir(parents=True, exist_ok=True)
    ensure(chosen.directory)
    Server(chosen.host, chosen.port, chosen.directory).run()


if __name__ == "__main__":
    main()
