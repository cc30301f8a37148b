"""MySQL's and MariaDB's client/server protocol, version 10."""

from wiretape.protocols.base import Codec
from wiretape.protocols.mysql.about import about
from wiretape.protocols.mysql.asks import ask
from wiretape.protocols.mysql.framing import recognises
from wiretape.protocols.mysql.inspection import SCHEMA, check
from wiretape.protocols.mysql.observed import merge
from wiretape.protocols.mysql.responder import MysqlResponder
from wiretape.protocols.mysql.tap import MysqlTap

CODEC = Codec(
    name="mysql",
    default_port=3306,
    tap=MysqlTap,
    responder=MysqlResponder,
    ask=ask,
    check=check,
    merge_facts=merge,
    recognises=recognises,
    schema=SCHEMA,
    about=about,
)
