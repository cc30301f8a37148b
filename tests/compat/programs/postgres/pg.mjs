// node-postgres: text protocol with parameters, a named statement, several statements in one text, a transaction undone, NOTIFY.
import pg from 'pg'

const plain = (key, value) => (typeof value === 'bigint' ? String(value) : value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value)
const say = (...values) => console.log(JSON.stringify(values, plain))

const client = new pg.Client({ connectionString: process.argv[2] })
const heard = []
client.on('notification', (told) => heard.push([told.channel, told.payload]))
await client.connect()
const found = await client.query('SELECT * FROM walk_items WHERE id <= $1 ORDER BY id', [3])
for (const row of found.rows) say(row)
say(found.fields.map((field) => [field.name, field.dataTypeID < 16384, field.format]), found.command, found.rowCount)
for (const id of [1, 2, 70000, 1]) {
  say((await client.query({ name: 'by-id', text: 'SELECT name, price FROM walk_items WHERE id = $1', values: [id] })).rows)
}
const made = await client.query(
  'INSERT INTO walk_items (name, price, ok, made, data, doc, tags, nums, ratio) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id, name, made, tags, nums, doc',
  ["it's", '3.10', null, new Date('2026-11-20T12:00:00.005Z'), Buffer.from([0, 1, 39]), { k: ['v', 1] }, ['x', 'y z', null], [1, 2], 0.25],
)
say(made.rows, made.command, made.rowCount)
say((await client.query('UPDATE walk_items SET price = price + $1 WHERE name = ANY($2)', [1, ['bolt', 'nut']])).rowCount)
try {
  await client.query('INSERT INTO walk_items (name) VALUES ($1)', ['bolt'])
} catch (error) {
  say(error.code, error.constraint, error.detail)
}
await client.query('BEGIN')
say((await client.query('DELETE FROM walk_lines WHERE id = $1', [1])).rowCount)
await client.query('ROLLBACK')
say((await client.query('SELECT count(*), sum(qty), max(p) FROM walk_lines')).rows)
const several = await client.query("SELECT 1 AS one; SELECT name FROM walk_items WHERE id = 1; UPDATE walk_lines SET qty = 9 WHERE id = 2")
say(several.map((each) => [each.command, each.rowCount, each.rows]))
say((await client.query({ text: 'SELECT id, qty FROM walk_lines ORDER BY id', rowMode: 'array' })).rows)
await client.query('LISTEN walk')
await client.query("NOTIFY walk, 'own'")
say(heard)
await client.end()

const pool = new pg.Pool({ connectionString: process.argv[2], max: 2 })
say(await Promise.all([1, 2, 3].map(async (id) => (await pool.query('SELECT name FROM walk_items WHERE id = $1', [id])).rows[0].name)))
await pool.end()
