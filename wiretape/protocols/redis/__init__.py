"""Redis: the serialization protocol RESP, versions 2 and 3, and the commands spoken in it."""

from wiretape.protocols.base import Codec
from wiretape.protocols.redis.about import about
from wiretape.protocols.redis.asks import ask
from wiretape.protocols.redis.facts import merge
from wiretape.protocols.redis.inspection import SCHEMA, check
from wiretape.protocols.redis.requests import recognises
from wiretape.protocols.redis.responder import RedisResponder
from wiretape.protocols.redis.tap import RedisTap
from wiretape.protocols.redis.upstream import RedisUpstream

CODEC = Codec(
    name="redis",
    default_port=6379,
    tap=RedisTap,
    responder=RedisResponder,
    ask=ask,
    check=check,
    merge_facts=merge,
    recognises=recognises,
    upstream=RedisUpstream,
    schema=SCHEMA,
    about=about,
)
