<?php
// PDO and the pgsql functions: prepared statements of both kinds, RETURNING, an error, a transaction undone, COPY.
function say(...$values): void
{
    echo json_encode($values, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), "\n";
}

function plain(array $row): array
{
    return array_map(fn ($value) => is_resource($value) ? bin2hex(stream_get_contents($value)) : $value, $row);
}

$at = parse_url($argv[1]);
$name = ltrim($at["path"], "/");
$pdo = new PDO("pgsql:host={$at['host']};port={$at['port']};dbname=$name", $at["user"], $at["pass"], [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$read = $pdo->prepare("SELECT * FROM walk_items WHERE id <= ? ORDER BY id");
$read->execute([3]);
foreach ($read->fetchAll(PDO::FETCH_ASSOC) as $row) {
    say(plain($row));
}
$one = $pdo->prepare("SELECT name, price FROM walk_items WHERE id = :id");
foreach ([1, 2, 70000, 1] as $id) {
    $one->execute(["id" => $id]);
    say($one->fetch(PDO::FETCH_NUM));
}
$make = $pdo->prepare("INSERT INTO walk_items (name, price, ok, made, doc, tags, data) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id, name, made, tags, doc");
foreach (["it's", "3.10", null, "2026-11-20 12:00:00.005+00", '{"k": ["v", 1]}', '{x,"y z",NULL}'] as $place => $value) {
    $make->bindValue($place + 1, $value);
}
$make->bindValue(7, "\0\x01'", PDO::PARAM_LOB);
$make->execute();
say(plain($make->fetch(PDO::FETCH_ASSOC)), $make->rowCount());
say($pdo->exec("UPDATE walk_items SET price = price + 1 WHERE name IN ('bolt', 'nut')"), $pdo->lastInsertId("walk_items_id_seq"));
try {
    $pdo->prepare("INSERT INTO walk_items (name) VALUES (?)")->execute(["bolt"]);
} catch (PDOException $error) {
    say($error->getCode(), $error->errorInfo[1]);
}
$pdo->beginTransaction();
$delete = $pdo->prepare("DELETE FROM walk_lines WHERE id = ?");
$delete->execute([1]);
say($delete->rowCount());
$pdo->rollBack();
$emulated = $pdo->prepare("SELECT id, qty FROM walk_lines WHERE qty > ? AND id < ? ORDER BY id", [PDO::ATTR_EMULATE_PREPARES => true]);
$emulated->execute([1, 5]);
say($emulated->fetchAll(PDO::FETCH_NUM));
say($pdo->pgsqlCopyFromArray("walk_lines", ["12\t1\t5", "13\t\\N\t6"], "\t", "\\\\N", "id,item,qty"));
say($pdo->pgsqlCopyToArray("walk_lines", ","));
$pdo = null;

$link = pg_connect("host={$at['host']} port={$at['port']} dbname=$name user={$at['user']} password={$at['pass']}");
$found = pg_query_params($link, "SELECT id, name, mood FROM walk_items WHERE id < $1 ORDER BY id", [3]);
say(pg_fetch_all($found), pg_field_type($found, 0));
pg_prepare($link, "sum", "SELECT sum(qty), max(p) FROM walk_lines WHERE id > $1");
say(pg_fetch_row(pg_execute($link, "sum", [0])));
pg_close($link);
