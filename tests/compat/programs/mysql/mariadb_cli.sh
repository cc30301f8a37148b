# The mariadb command-line client: a script with several statements, tables, a procedure, an error that ends it.
set -eu
rest=${1#mysql://}
user=${rest%%:*}; rest=${rest#*:}
password=${rest%%@*}; rest=${rest#*@}
host=${rest%%:*}; rest=${rest#*:}
port=${rest%%/*}; database=${rest#*/}
connect="mariadb --no-defaults --skip-ssl --default-character-set=utf8mb4 --binary-as-hex -h $host -P $port -u $user -p$password"
$connect --table "$database" <<'SQL'
SELECT * FROM compat_kinds\G
SELECT id, sku, qty, price, made FROM compat_items ORDER BY id;
INSERT INTO compat_items (sku, qty) VALUES ('washer', 5), ('ring', 6);
SELECT LAST_INSERT_ID() AS id, ROW_COUNT() AS n;
BEGIN;
DELETE FROM compat_items;
ROLLBACK;
CALL compat_both(2);
SHOW TABLES LIKE 'compat%';
SQL
$connect "$database" -e "USE $database; SELECT COUNT(*) FROM compat_items; SHOW WARNINGS"
$connect -vvv "$database" -e "UPDATE compat_items SET qty = qty + 1 WHERE qty > 5; SELECT CAST('12x' AS SIGNED)" | grep -v sec
$connect "$database" -e "INSERT INTO compat_items (sku) VALUES ('bolt')" 2>&1 || true
