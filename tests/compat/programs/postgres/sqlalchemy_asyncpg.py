"""SQLAlchemy over asyncpg."""

import asyncio
import runpy
from pathlib import Path

asyncio.run(runpy.run_path(str(Path(__file__).with_name("sqlalchemy_walk.py")))["asynchronous"]("asyncpg"))
