"""``python -m workers.cli``, where the console script is not installed."""

from workers.cli import main

main()
