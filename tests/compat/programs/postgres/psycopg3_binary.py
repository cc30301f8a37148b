"""psycopg 3 as in psycopg3_walk.py; it asks for every result in binary."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).with_name("psycopg3_walk.py")))["walk"](binary=True)
