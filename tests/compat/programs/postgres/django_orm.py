"""Django's ORM over psycopg 3: models, atomic blocks with savepoints, an error, aggregates, a server-side cursor."""

import decimal
import json
import sys
from urllib.parse import urlsplit

import django
from django.conf import settings


def say(*values: object) -> None:
    print(
        json.dumps(
            values,
            default=lambda value: bytes(value).hex() if isinstance(value, memoryview) else str(value),
            ensure_ascii=False,
        )
    )


at = urlsplit(sys.argv[1])
settings.configure(
    INSTALLED_APPS=["django.contrib.postgres"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql", "HOST": at.hostname, "PORT": at.port, "USER": at.username,
            "PASSWORD": at.password, "NAME": at.path[1:],
        }
    },
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)  # fmt: skip
django.setup()

from django.contrib.postgres.fields import ArrayField  # noqa: E402
from django.db import IntegrityError, connection, models, transaction  # noqa: E402


class Item(models.Model):
    name = models.TextField(unique=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    big = models.BigIntegerField(null=True)
    ok = models.BooleanField(null=True)
    made = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    lasts = models.DurationField(null=True)
    data = models.BinaryField(null=True)
    doc = models.JSONField(null=True)
    tags = ArrayField(models.TextField(null=True), null=True)
    ref = models.UUIDField(null=True)

    class Meta:
        app_label = "compat"
        db_table = "walk_items"
        managed = False


FIELDS = ("pk", "name", "price", "big", "ok", "made", "day", "lasts", "data", "doc", "tags", "ref")
for row in Item.objects.filter(pk__lte=3).order_by("pk").values_list(*FIELDS):
    say(*row)
made = Item.objects.create(name="it's", price=decimal.Decimal("3.10"), doc={"k": ["v", 1]}, tags=["x", None], data=b"\0\x01'")
say(made.pk)
Item.objects.bulk_create([Item(name=f"bulk {number}", big=number) for number in range(3)])
try:
    with transaction.atomic():
        Item.objects.filter(name="nut").update(big=models.F("big") + 1)
        with transaction.atomic():
            Item.objects.create(name="bolt")
except IntegrityError as error:
    say(str(error).splitlines()[0])
with transaction.atomic():
    locked = Item.objects.select_for_update().get(name="nut")
    locked.big += 100
    locked.save(update_fields=["big"])
say(Item.objects.filter(name__in=["bolt", "nut"]).aggregate(models.Sum("big"), models.Avg("price"), models.Max("made")))
say([item.name for item in Item.objects.order_by("pk").iterator(chunk_size=2)])
say(Item.objects.filter(name__startswith="bulk").delete())
say(Item.objects.filter(doc__k__0="v").exists(), Item.objects.filter(tags__contains=["x"]).count())
connection.close()
