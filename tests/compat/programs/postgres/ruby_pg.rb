# ruby-pg: parameters, a prepared statement, RETURNING, an error, a transaction undone, single rows, COPY, NOTIFY.
require "json"
require "pg"

def say(*values)
  puts JSON.generate(values)
end

connection = PG.connect(ARGV[0])
found = connection.exec_params("SELECT * FROM walk_items WHERE id <= $1 ORDER BY id", [3])
found.each_row { |row| say(*row) }
say(found.fields, found.cmd_status, found.ntuples)
connection.prepare("by_id", "SELECT name, price FROM walk_items WHERE id = $1")
[1, 2, 70_000, 1].each { |id| say(connection.exec_prepared("by_id", [id]).values) }
say(connection.describe_prepared("by_id").fields)
binary = connection.exec_params("SELECT id, big, ok, data FROM walk_items WHERE id = $1", [1], 1)
say(binary.values.map { |row| row.map { |value| value.unpack1("H*") } })
made = connection.exec_params(
  "INSERT INTO walk_items (name, price, ok, made, data, doc, tags) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, name, made, tags, doc",
  ["it's", "3.10", nil, "2026-11-20 12:00:00.005+00", { value: "\0\x01'", format: 1 }, '{"k": ["v", 1]}', '{x,"y z",NULL}']
)
say(made.values, made.cmd_tuples)
say(connection.exec_params("UPDATE walk_items SET price = price + $1 WHERE name = ANY($2)", [1, "{bolt,nut}"]).cmd_tuples)
begin
  connection.exec_params("INSERT INTO walk_items (name) VALUES ($1)", ["bolt"])
rescue PG::UniqueViolation => error
  say(error.result.error_field(PG::Result::PG_DIAG_SQLSTATE), error.result.error_field(PG::Result::PG_DIAG_CONSTRAINT_NAME))
end
begin
  connection.transaction do |inner|
    say(inner.exec_params("DELETE FROM walk_lines WHERE id = $1", [1]).cmd_tuples)
    raise "undone"
  end
rescue RuntimeError => error
  say(error.message)
end
connection.send_query_params("SELECT id, qty FROM walk_lines ORDER BY id", [])
connection.set_single_row_mode
connection.get_result.stream_each_row { |row| say(*row) }
connection.copy_data("COPY walk_lines (id, qty) FROM STDIN", PG::TextEncoder::CopyRow.new) do
  connection.put_copy_data([12, 5])
  connection.put_copy_data([13, nil.to_i])
end
connection.copy_data("COPY (SELECT id, qty FROM walk_lines ORDER BY id) TO STDOUT CSV") do
  while (row = connection.get_copy_data)
    say(row)
  end
end
connection.exec("LISTEN walk")
connection.exec("NOTIFY walk, 'own'")
say(connection.notifies[:extra])
say(connection.exec("SELECT 1 AS one; SELECT sum(qty) FROM walk_lines").values)
connection.close
