// node mysql2 with prepared statements (execute): every type, reuse, NULL, dates, buffers, an error.
import mysql from "mysql2/promise";

const say = (...values) => console.log(JSON.stringify(values));
const connection = await mysql.createConnection({ uri: process.argv[2], supportBigNumbers: true });
for (const id of [1, 2, 3]) {
  const [rows] = await connection.execute("SELECT * FROM compat_kinds WHERE id = ?", [id]);
  say(rows);
}
const insert = "INSERT INTO compat_items (sku, qty, price, made, note) VALUES (?, ?, ?, ?, ?)";
const [made] = await connection.execute(insert, ["washer", 5, 2.5, new Date(Date.UTC(2024, 4, 6, 7, 8, 9, 120)), "ünïcödé ☃"]);
say(made.affectedRows, made.insertId);
const [more] = await connection.execute(insert, ["ring", -5, null, null, Buffer.from("bytes")]);
say(more.affectedRows, more.insertId);
try {
  await connection.execute(insert, ["bolt", 1, null, null, null]);
} catch (error) {
  say(error.code, error.errno, error.sqlState, error.sqlMessage);
}
try {
  await connection.execute("SELECT nothing FROM compat_items WHERE id = ?", [1]);
} catch (error) {
  say(error.code, error.errno, error.sqlState, error.sqlMessage);
}
say((await connection.execute("SELECT id, sku, qty, price, made, note FROM compat_items WHERE qty > ? ORDER BY id", [-10]))[0]);
say((await connection.execute("CALL compat_both(?)", [2]))[0].slice(0, 2));
await connection.ping();
await connection.end();
