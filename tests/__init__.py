"""Tests for the application; the folders mirror ``app/``.

They run on settings of their own, whatever this machine's `.env` and environment say.
"""

import os
from pathlib import Path

from dotenv import dotenv_values

_ROOT = Path(__file__).resolve().parent.parent
# The server on which the tests create their databases is the one setting that is meant for them.
_MEANT_FOR_TESTS = {"TEST_DATABASE_URL"}

# An empty variable counts as unset, and `.env` does not replace it. Here, because config.py is not imported yet.
for _name in {**dotenv_values(_ROOT / ".env.example"), **dotenv_values(_ROOT / ".env")}.keys() - _MEANT_FOR_TESTS:
    os.environ[_name] = ""

from config import SETTINGS_FILE_PROBLEMS  # noqa: E402

SETTINGS_FILE_PROBLEMS.clear()
