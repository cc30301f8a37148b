"""SQLAlchemy's ORM over PyMySQL: reflection-free models, sessions, eager loading, an error inside a savepoint."""

import datetime as dt
import decimal
import json
import sys

from sqlalchemy import ForeignKey, String, create_engine, func, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


def say(*values: object) -> None:
    print(json.dumps(values, default=repr, ensure_ascii=False))


class Base(DeclarativeBase): ...


class Item(Base):
    __tablename__ = "compat_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(40), unique=True)
    qty: Mapped[int]
    price: Mapped[decimal.Decimal | None]
    made: Mapped[dt.datetime | None]
    note: Mapped[str | None]
    lines: Mapped[list["Line"]] = relationship(order_by="Line.id")


class Line(Base):
    __tablename__ = "compat_lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("compat_items.id"))
    text: Mapped[str] = mapped_column(String(20))


engine = create_engine(sys.argv[1].replace("mysql://", "mysql+pymysql://"), pool_pre_ping=True)
Base.metadata.create_all(engine)
say(sorted(inspect(engine).get_table_names()))
with Session(engine) as session:
    session.add(Item(sku="washer", qty=5, price=decimal.Decimal("2.50"), lines=[Line(text="one"), Line(text="two")]))
    session.flush()
    try:
        with session.begin_nested():
            session.add(Item(sku="bolt", qty=1))
            session.flush()
    except IntegrityError as error:
        say(*error.orig.args)
    session.commit()
with Session(engine) as session:
    for item in session.scalars(select(Item).options(selectinload(Item.lines)).order_by(Item.id)):
        say(item.id, item.sku, item.qty, item.price, item.made, item.note, [line.text for line in item.lines])
    say(session.scalar(select(func.count()).select_from(Item).where(Item.sku.in_(["bolt", "nut", "none"]))))
    session.delete(session.scalars(select(Item).where(Item.sku == "gear")).one())
    session.rollback()
    say(session.scalar(select(func.max(Item.qty))))
engine.dispose()
