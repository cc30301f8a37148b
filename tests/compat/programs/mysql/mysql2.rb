# ruby mysql2: text queries, prepared statements, an error, a transaction undone.
require "json"
require "mysql2"
require "uri"

def say(*values) = puts(values.map(&:inspect).join(" | "))

at = URI(ARGV[0])
client = Mysql2::Client.new(host: at.host, port: at.port, username: at.user, password: at.password, database: at.path[1..], encoding: "utf8mb4")
[1, 2, 3].each { |id| client.query("SELECT * FROM compat_kinds WHERE id = #{id}").each { |row| say(row) } }
client.query("INSERT INTO compat_items (sku, qty, price) VALUES ('washer', 5, 2.50)")
say(client.affected_rows, client.last_id)
read = client.prepare("SELECT id, sku, price, made FROM compat_items WHERE qty >= ? AND sku <> ?")
read.execute(5, "nut").each { |row| say(row) }
read.execute(0, "bolt").each { |row| say(row) }
begin
  client.query("INSERT INTO compat_items (sku) VALUES ('bolt')")
rescue Mysql2::Error => error
  say(error.error_number, error.sql_state, error.message)
end
client.query("BEGIN")
client.query("DELETE FROM compat_items")
client.query("ROLLBACK")
say(client.query("SELECT COUNT(*) AS n FROM compat_items").first)
client.ping
client.close
