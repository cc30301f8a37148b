"""SQLAlchemy's ORM and Core over whichever driver: what the sqlalchemy_*.py programs run."""

import datetime as dt
import decimal
import json
import sys

from sqlalchemy import ForeignKey, LargeBinary, Numeric, Text, create_engine, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, ENUM, JSONB, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


def plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else str(value)


def say(*values: object) -> None:
    print(json.dumps(values, default=plain, ensure_ascii=False))


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "walk_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    price: Mapped[decimal.Decimal | None] = mapped_column(Numeric(10, 2))
    ok: Mapped[bool | None]
    made: Mapped[dt.datetime | None]
    data: Mapped[bytes | None] = mapped_column(LargeBinary)
    doc: Mapped[object | None] = mapped_column(JSONB)
    tags: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    mood: Mapped[str | None] = mapped_column(ENUM("sad", "ok", "happy", name="walk_mood", create_type=False))
    lines: Mapped[list["Line"]] = relationship(order_by="Line.id")


class Line(Base):
    __tablename__ = "walk_lines"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    item: Mapped[int | None] = mapped_column(ForeignKey("walk_items.id"))
    qty: Mapped[int]


def orm(session: Session) -> None:
    for item in session.scalars(select(Item).where(Item.id <= 3).order_by(Item.id)):
        say(
            item.id,
            item.name,
            item.price,
            item.ok,
            item.data,
            item.doc,
            item.tags,
            item.mood,
            [line.qty for line in item.lines],
        )
    made = Item(name="it's", price=decimal.Decimal("3.10"), doc={"k": ["v", 1]}, tags=["x", "y z"], data=b"\0\x01'", mood="ok")
    session.add_all([made, Item(name="second", doc=None)])
    session.add(Line(id=10, item=1, qty=3))
    session.flush()
    say(made.id, made.name)
    session.commit()
    made.price = decimal.Decimal("4.20")
    session.commit()
    session.add(Item(name="bolt"))
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        say(str(error.orig).splitlines()[0][-60:])
    with session.begin_nested() as savepoint:
        session.execute(text("UPDATE walk_lines SET qty = :qty WHERE id = :id"), {"qty": 99, "id": 1})
        savepoint.rollback()
    session.commit()
    upsert = insert(Line).values([{"id": 1, "qty": 5}, {"id": 11, "qty": 6}])
    upsert = upsert.on_conflict_do_update(index_elements=[Line.id], set_={"qty": upsert.excluded.qty})
    say(*session.scalars(upsert.returning(Line.id)))
    say(*session.execute(select(func.count(), func.sum(Line.qty))).one())
    say(*session.scalars(select(Item.name).where(Item.id.in_([1, 2])).order_by(Item.id.desc()).limit(1)))
    session.commit()


def url(driver: str) -> str:
    return sys.argv[1].replace("postgresql://", f"postgresql+{driver}://")


def sync(driver: str) -> None:
    engine = create_engine(url(driver))
    with Session(engine) as session:
        orm(session)
    engine.dispose()


async def asynchronous(driver: str) -> None:
    engine = create_async_engine(url(driver))
    async with engine.connect() as connection:
        await connection.run_sync(lambda bare: orm(Session(bare)))
    await engine.dispose()
