"""A file that has to hold JSON."""

from __future__ import annotations

import json
from typing import Any

from workers.cli.failure import Failed


def parsed(content: bytes, name: str) -> Any:
    """The JSON value of a file's content. Raises Failed, with line and column if it is not JSON."""
    try:
        return json.loads(content)
    except UnicodeDecodeError:
        raise Failed(f"{name} is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        raise Failed(f"{name} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except ValueError:
        raise Failed(f"{name} holds a number of too many digits.") from None
    except RecursionError:
        raise Failed(f"{name} is nested too deeply.") from None
