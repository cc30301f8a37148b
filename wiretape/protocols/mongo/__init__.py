"""MongoDB's wire protocol: OP_MSG, and OP_QUERY for the first hello."""

from wiretape.protocols.base import Codec
from wiretape.protocols.mongo.about import about
from wiretape.protocols.mongo.asks import ask
from wiretape.protocols.mongo.framing import recognises
from wiretape.protocols.mongo.handshake import merge
from wiretape.protocols.mongo.inspection import SCHEMA, check
from wiretape.protocols.mongo.responder import MongoResponder
from wiretape.protocols.mongo.tap import MongoTap

CODEC = Codec(
    name="mongo",
    default_port=27017,
    tap=MongoTap,
    responder=MongoResponder,
    ask=ask,
    check=check,
    merge_facts=merge,
    recognises=recognises,
    schema=SCHEMA,
    about=about,
)
