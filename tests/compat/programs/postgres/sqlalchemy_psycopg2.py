"""SQLAlchemy over psycopg2."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).with_name("sqlalchemy_walk.py")))["sync"]("psycopg2")
