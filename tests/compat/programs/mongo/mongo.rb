# Ruby's mongo
require "json"
require "uri"
# Debian pairs this version of the driver with a Ruby that has lost what it calls
def URI.decode(text) = decode_www_form_component(text) unless URI.respond_to?(:decode)
require "mongo"

Mongo::Logger.logger.level = Logger::FATAL

def show(step, value)
  puts JSON.generate([step, value])
end

client = Mongo::Client.new(ARGV[0])
users = client[:users]
kinds = client[:kinds]
[users, kinds].each do |collection|
  begin
    collection.drop
  rescue Mongo::Error::OperationFailure
    nil
  end
end
plain = { projection: { _id: 0 } }
users.indexes.create_one({ email: 1 }, unique: true)
show("indexes", users.indexes.map { |index| index["name"] }.sort)
users.insert_one(name: "Ann", email: "ann@example.com", age: 41)
many = (0...20).map { |i| { name: "n#{i}", email: "n#{i}@example.com", age: i, tags: ["a", "t#{i % 3}"] } }
show("insert many", users.insert_many(many).inserted_count)
show("find one", users.find({ name: "Ann" }, plain).first)
show("find", users.find({ age: { "$gte" => 5, "$lt" => 9 } }, plain).sort(age: -1).skip(1).limit(2).to_a)
show("batches", users.find({}, plain).sort(age: 1).batch_size(4).map { |user| user["age"] })
done = users.update_one({ name: "n1" }, { "$set" => { city: "Bern" }, "$inc" => { age: 1 } })
show("update one", [done.matched_count, done.modified_count])
done = users.update_one({ name: "new" }, { "$set" => { email: "new@example.com", age: 0 } }, upsert: true)
show("upsert", [done.matched_count, !done.upserted_id.nil?])
modify = { findAndModify: "users", query: { name: "n3" }, update: { "$inc" => { age: 10 } }, new: true }
show("find and modify", client.database.command(modify).first["value"]["age"])
show("delete", users.delete_many(age: { "$gte" => 18, "$lt" => 40 }).deleted_count)
show("count", users.count(age: { "$lt" => 10 }))
show("distinct", users.distinct("tags").sort)
show("aggregate", users.aggregate([{ "$group" => { _id: nil, n: { "$sum" => 1 } } }]).to_a)
begin
  users.insert_one(name: "Ann 2", email: "ann@example.com")
rescue Mongo::Error::OperationFailure => error
  show("duplicate", error.message[/E11000|11000/])
end
bulk = users.bulk_write([{ insert_one: { email: "b2@x" } }, { delete_one: { filter: { email: "b2@x" } } }])
show("bulk", [bulk.inserted_count, bulk.deleted_count])
begin
  client.database.command(noSuchCommand: 1)
rescue Mongo::Error::OperationFailure => error
  show("failure", error.message[/59|no such command/i].to_s.downcase)
end
id = BSON::ObjectId.from_string("6b05804dd8efd8f3bd1c17cd")
kinds.insert_one(
  _id: id, at: Time.at(1_795_168_800, 123_000).utc, binary: BSON::Binary.new("\x00\xff".b), price: BSON::Decimal128.new("39.80"),
  big: 2**40, double: 5.0, none: nil, nested: { a: [1, { b: "ü✓" }], list: [] }, regex: /^a.c/i
)
show("kinds", kinds.find({ _id: id }).first.transform_values { |value| value.respond_to?(:data) ? value.data.bytes : value.respond_to?(:pattern) ? value.pattern : value.to_s })
client.close
