"""Django's ORM over mysqlclient: models, atomic blocks with savepoints, an error, aggregates."""

import decimal
import json
import sys
from urllib.parse import urlsplit

import django
from django.conf import settings


def say(*values: object) -> None:
    print(json.dumps(values, default=repr, ensure_ascii=False))


at = urlsplit(sys.argv[1])
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.mysql", "HOST": at.hostname, "PORT": at.port, "USER": at.username,
            "PASSWORD": at.password, "NAME": at.path[1:],
        }
    },
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)  # fmt: skip
django.setup()

from django.db import IntegrityError, connection, models, transaction  # noqa: E402


class Item(models.Model):
    sku = models.CharField(max_length=40, unique=True)
    qty = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    made = models.DateTimeField(null=True)
    note = models.TextField(null=True)

    class Meta:
        app_label = "compat"
        db_table = "compat_items"
        managed = False


item = Item.objects.create(sku="washer", qty=5, price=decimal.Decimal("2.50"))
say(item.pk)
Item.objects.bulk_create([Item(sku=f"bulk {number}", qty=number) for number in range(3)])
try:
    with transaction.atomic():
        Item.objects.filter(sku="nut").update(qty=models.F("qty") + 1)
        with transaction.atomic():
            Item.objects.create(sku="bolt")
except IntegrityError as error:
    say(*error.args)
with transaction.atomic():
    locked = Item.objects.select_for_update().get(sku="nut")
    locked.qty += 100
    locked.save(update_fields=["qty"])
for row in Item.objects.order_by("pk").values_list("pk", "sku", "qty", "price", "made", "note"):
    say(*row)
say(Item.objects.filter(sku__in=["bolt", "nut"]).aggregate(models.Sum("qty"), models.Avg("price"), models.Max("made")))
say(Item.objects.filter(sku__startswith="bulk").delete())
with connection.cursor() as cursor:
    cursor.execute("SELECT flag, huge, doc, exact FROM compat_kinds WHERE id = %s", [1])
    say(cursor.fetchone())
say(Item.objects.filter(qty__gt=3).exists(), Item.objects.count())
connection.close()
