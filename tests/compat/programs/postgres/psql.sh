# psql: what a person types, \copy, prepared statements by hand, cursors, describing, an error in a transaction.
psql "$1" -X -A -v VERBOSITY=verbose -q <<'SQL' 2>&1 | sed '/^LOCATION:/d; s/PID [0-9]*/PID/'
SELECT * FROM walk_items ORDER BY id;
INSERT INTO walk_items (name, price) VALUES ('it''s', 3.10) RETURNING id, name;
UPDATE walk_items SET price = price + 1 WHERE name = 'bolt';
INSERT INTO walk_items (name) VALUES ('bolt');
BEGIN;
DELETE FROM walk_lines WHERE id = 1;
SELECT nothing;
SELECT 1;
ROLLBACK;
PREPARE by_id (int) AS SELECT name, price FROM walk_items WHERE id = $1;
EXECUTE by_id(1);
EXECUTE by_id(2);
BEGIN;
DECLARE c CURSOR FOR SELECT id, qty FROM walk_lines ORDER BY id;
DECLARE d SCROLL CURSOR FOR SELECT name FROM walk_items ORDER BY id;
FETCH 2 FROM c;
FETCH 2 FROM d;
MOVE 1 IN c;
FETCH ALL FROM c;
FETCH PRIOR FROM d;
CLOSE c;
COMMIT;
\copy walk_lines (id, qty) FROM stdin WITH (FORMAT csv)
12,5
13,6
\.
\copy (SELECT id, qty FROM walk_lines ORDER BY id) TO stdout
SELECT 1 AS a \; SELECT 2 AS b;
\x on
SELECT name, doc FROM walk_items WHERE id = 1;
LISTEN walk;
NOTIFY walk, 'own';
SQL
