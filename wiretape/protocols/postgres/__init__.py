"""PostgreSQL's frontend/backend protocol, version 3."""

from wiretape.protocols.base import Codec
from wiretape.protocols.postgres.about import about
from wiretape.protocols.postgres.asks import ask
from wiretape.protocols.postgres.facts import merge
from wiretape.protocols.postgres.framing import recognises
from wiretape.protocols.postgres.inspection import SCHEMA, check
from wiretape.protocols.postgres.responder import PgResponder
from wiretape.protocols.postgres.tap import PgTap
from wiretape.protocols.postgres.upstream import PgUpstream

CODEC = Codec(
    name="postgres",
    default_port=5432,
    tap=PgTap,
    responder=PgResponder,
    ask=ask,
    check=check,
    merge_facts=merge,
    recognises=recognises,
    upstream=PgUpstream,
    schema=SCHEMA,
    about=about,
)
