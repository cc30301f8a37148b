<?php
// PHP's mongodb extension, without the library on top of it
use MongoDB\BSON\{Binary, Decimal128, Int64, Javascript, MaxKey, MinKey, ObjectId, Regex, Timestamp, UTCDateTime};
use MongoDB\Driver\{BulkWrite, Command, Cursor, Manager, Query};
use MongoDB\Driver\Exception\{BulkWriteException, CommandException};

function show(string $step, mixed $value): void
{
    echo json_encode([$step, $value]), "\n";
}

function rows(Cursor $cursor): array
{
    $cursor->setTypeMap(['root' => 'array', 'document' => 'array', 'array' => 'array']);
    return $cursor->toArray();
}

$manager = new Manager($argv[1]);
$db = trim(parse_url($argv[1], PHP_URL_PATH), '/');
$run = fn (array $command) => rows($manager->executeCommand($db, new Command($command)));
$find = fn (array $filter, array $options = []) => rows($manager->executeQuery("$db.users", new Query($filter, $options)));
$write = function (callable $fill, array $options = [], string $to = 'users') use ($manager, $db) {
    $bulk = new BulkWrite($options);
    $fill($bulk);
    return $manager->executeBulkWrite("$db.$to", $bulk);
};
$plain = ['projection' => ['_id' => 0]];

foreach (['users', 'kinds'] as $name) {
    try {
        $run(['drop' => $name]);
    } catch (CommandException) {
    }
}
$run(['createIndexes' => 'users', 'indexes' => [['key' => ['email' => 1], 'name' => 'email_1', 'unique' => true]]]);
show('indexes', array_map(fn ($one) => $one['name'], $run(['listIndexes' => 'users'])));
$write(fn ($bulk) => $bulk->insert(['name' => 'Ann', 'email' => 'ann@example.com', 'age' => 41]));
$done = $write(function ($bulk) {
    foreach (range(0, 19) as $i) {
        $bulk->insert(['name' => "n$i", 'email' => "n$i@example.com", 'age' => $i, 'tags' => ['a', 't' . $i % 3]]);
    }
});
show('insert many', $done->getInsertedCount());
show('find one', $find(['name' => 'Ann'], $plain + ['limit' => 1]));
show('find', $find(['age' => ['$gte' => 5, '$lt' => 9]], $plain + ['sort' => ['age' => -1], 'skip' => 1, 'limit' => 2]));
show('batches', array_column($find([], $plain + ['sort' => ['age' => 1], 'batchSize' => 4]), 'age'));
$done = $write(fn ($bulk) => $bulk->update(['name' => 'n1'], ['$set' => ['city' => 'Bern'], '$inc' => ['age' => 1]]));
show('update one', [$done->getMatchedCount(), $done->getModifiedCount()]);
$done = $write(fn ($bulk) => $bulk->update(['name' => 'new'], ['$set' => ['age' => 0]], ['upsert' => true]));
show('upsert', [$done->getUpsertedCount(), count($done->getUpsertedIds())]);
$done = $write(fn ($bulk) => $bulk->delete(['age' => ['$gte' => 18, '$lt' => 40]]));
show('delete', $done->getDeletedCount());
$update = ['query' => ['name' => 'n3'], 'update' => ['$inc' => ['age' => 10]], 'new' => true, 'fields' => ['_id' => 0]];
show('find and modify', $run(['findAndModify' => 'users'] + $update)[0]['value']);
show('count', $run(['count' => 'users', 'query' => ['age' => ['$lt' => 10]]])[0]['n']);
show('distinct', $run(['distinct' => 'users', 'key' => 'tags', 'query' => new stdClass()])[0]['values']);
$pipeline = [['$group' => ['_id' => null, 'n' => ['$sum' => 1]]]];
show('aggregate', $run(['aggregate' => 'users', 'pipeline' => $pipeline, 'cursor' => new stdClass()]));
try {
    $write(fn ($bulk) => $bulk->insert(['name' => 'Ann 2', 'email' => 'ann@example.com']));
} catch (BulkWriteException $error) {
    show('duplicate', $error->getWriteResult()->getWriteErrors()[0]->getCode());
}
try {
    $run(['noSuchCommand' => 1]);
} catch (CommandException $error) {
    show('failure', $error->getCode());
}
$id = new ObjectId('6b05804dd8efd8f3bd1c17cd');
$kinds = [
    '_id' => $id,
    'at' => new UTCDateTime(1795168800123),
    'binary' => new Binary("\x00\xff", Binary::TYPE_GENERIC),
    'uuid' => new Binary(hex2bin('7b0e0000000040008000000000000001'), Binary::TYPE_UUID),
    'price' => new Decimal128('39.80'),
    'big' => 2 ** 40,
    'double' => 5.0,
    'none' => null,
    'nested' => ['a' => [1, ['b' => 'ü✓']], 'empty' => new stdClass(), 'list' => []],
    'regex' => new Regex('^a.c', 'im'),
    'ts' => new Timestamp(3, 1795522637),
    'code' => new Javascript('function() {}'),
    'min' => new MinKey(),
    'max' => new MaxKey(),
];
$write(fn ($bulk) => $bulk->insert($kinds), to: 'kinds');
$found = $manager->executeQuery("$db.kinds", new Query(['_id' => $id, 'price' => new Decimal128('39.80')]))->toArray()[0];
show('kinds', MongoDB\BSON\toCanonicalExtendedJSON(MongoDB\BSON\fromPHP($found)));
