// node mysql2, text protocol (query): promises, a pool, several statements, an error, a transaction undone.
import mysql from "mysql2/promise";

const say = (...values) => console.log(JSON.stringify(values));
const pool = mysql.createPool({ uri: process.argv[2], multipleStatements: true, connectionLimit: 2 });
for (const id of [1, 2, 3]) {
  const [rows] = await pool.query("SELECT * FROM compat_kinds WHERE id = ?", [id]);
  say(rows);
}
const [made] = await pool.query("INSERT INTO compat_items SET ?", { sku: "washer", qty: 5, price: 2.5 });
say(made.affectedRows, made.insertId, made.info);
const [changed] = await pool.query("UPDATE compat_items SET note = ? WHERE sku IN (?)", ["x'y\\z", ["bolt", "nut"]]);
say(changed.affectedRows, changed.changedRows, changed.info);
try {
  await pool.query("INSERT INTO compat_items (sku) VALUES (?)", ["bolt"]);
} catch (error) {
  say(error.code, error.errno, error.sqlState, error.sqlMessage);
}
const connection = await pool.getConnection();
await connection.beginTransaction();
await connection.query("DELETE FROM compat_items WHERE id > ?", [0]);
await connection.rollback();
connection.release();
say((await pool.query("SELECT COUNT(*) AS n FROM compat_items; SELECT sku FROM compat_items WHERE id = 1"))[0]);
say((await pool.query("CALL compat_both(?)", [2]))[0].slice(0, 2));
say((await pool.query({ sql: "SELECT a.id, b.id, b.sku FROM compat_items a JOIN compat_items b ON b.id = a.id", nestTables: true }))[0]);
await pool.end();
