"""pg8000: reads, writes, an error."""

import json
import sys
from urllib.parse import urlsplit

import pg8000.dbapi


def say(*values: object) -> None:
    print(json.dumps(values, default=str))


at = urlsplit(sys.argv[1])
connection = pg8000.dbapi.connect(user=at.username, password=at.password, host=at.hostname, port=at.port, database=at.path[1:])
cursor = connection.cursor()
cursor.execute("SELECT id, customer, total, paid, placed, extra FROM compat_orders WHERE id <= %s ORDER BY id", (3,))
for row in cursor.fetchall():
    say(*row)
cursor.execute("INSERT INTO compat_orders (customer, total) VALUES (%s, %s) RETURNING id, placed", ("new", "12.50"))
say(*cursor.fetchone())
connection.commit()
try:
    cursor.execute("INSERT INTO compat_orders (customer) VALUES (NULL)")
except pg8000.dbapi.DatabaseError as error:
    say(error.args[0]["C"])
connection.rollback()
connection.close()
