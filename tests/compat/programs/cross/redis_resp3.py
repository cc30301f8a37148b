"""redis-py in RESP3."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

os.environ["PROTOCOL"] = "3"
runpy.run_path(str(Path(__file__).with_name("redis_py.py")), run_name="__main__")
