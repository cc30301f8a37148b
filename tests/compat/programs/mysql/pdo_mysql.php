<?php
// PHP's PDO for MySQL (mysqlnd): emulated and real prepared statements, an error, a transaction undone.
function say(...$values) { echo json_encode($values, JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_INVALID_UTF8_SUBSTITUTE), "\n"; }

$at = parse_url($argv[1]);
foreach ([true, false] as $emulated) {
    $pdo = new PDO("mysql:host={$at['host']};port={$at['port']};dbname=" . substr($at['path'], 1) . ";charset=utf8mb4", $at['user'], $at['pass'],
        [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION, PDO::ATTR_EMULATE_PREPARES => $emulated]);
    $read = $pdo->prepare("SELECT * FROM compat_kinds WHERE id = ?");
    foreach ([1, 2, 3] as $id) {
        $read->execute([$id]);
        say($read->fetchAll(PDO::FETCH_ASSOC));
    }
    $write = $pdo->prepare("INSERT INTO compat_items (sku, qty, price, note) VALUES (:sku, :qty, :price, :note)");
    $write->execute(["sku" => "washer $emulated", "qty" => 5, "price" => "2.50", "note" => null]);
    say($write->rowCount(), $pdo->lastInsertId());
    try {
        $write->execute(["sku" => "bolt", "qty" => 1, "price" => null, "note" => "x"]);
    } catch (PDOException $error) {
        say($error->errorInfo);
    }
    $pdo->beginTransaction();
    say($pdo->exec("DELETE FROM compat_items"));
    $pdo->rollBack();
    say($pdo->query("SELECT COUNT(*), MAX(made) FROM compat_items")->fetch(PDO::FETCH_NUM));
    $call = $pdo->query("CALL compat_both(2)");
    do { say($call->fetchAll(PDO::FETCH_NUM)); } while ($call->nextRowset() && $call->columnCount());
    $call->closeCursor();
}
