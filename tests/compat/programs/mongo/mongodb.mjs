// node's mongodb
import { Binary, Code, Decimal128, Double, Long, MaxKey, MinKey, MongoClient, ObjectId, Timestamp, UUID } from "mongodb";

const sorted = (value) =>
  value instanceof Date || value?._bsontype || value === null || typeof value !== "object"
    ? value
    : Array.isArray(value)
      ? value.map(sorted)
      : Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
const show = (step, value) => console.log(JSON.stringify([step, sorted(value)]).replaceAll('":', '": ').replaceAll(",", ", "));
const plain = { projection: { _id: 0 } };
const failure = async (what) => {
  try {
    await what();
  } catch (error) {
    return error;
  }
  return undefined;
};

const client = new MongoClient(process.argv[2]);
const db = client.db();
const users = db.collection("users");
const kinds = db.collection("kinds");
await users.drop();
await kinds.drop();
show("index", [await users.createIndex({ email: 1 }, { unique: true }), await users.createIndex({ age: 1, name: -1 })]);
show("indexes", (await users.listIndexes().toArray()).map((index) => index.name).sort());
await users.insertOne({ name: "Ann", email: "ann@example.com", age: 41 });
const many = [...Array(20).keys()].map((i) => ({ name: `n${i}`, email: `n${i}@example.com`, age: i, tags: ["a", `t${i % 3}`] }));
show("insert many", (await users.insertMany(many)).insertedCount);
show("find one", await users.findOne({ name: "Ann" }, plain));
show("nothing", await users.findOne({ name: "Nobody" }));
show("find", await users.find({ age: { $gte: 5, $lt: 9 } }, plain).sort({ age: -1 }).skip(1).limit(2).toArray());
const ages = [];
for await (const user of users.find({}, { ...plain, batchSize: 4 }).sort({ age: 1 })) ages.push(user.age);
show("batches", ages);
const names = async (filter) => (await users.find(filter).toArray()).map((user) => user.name).sort();
show("in", await names({ name: { $in: ["n1", "n2", "x"] } }));
show("regex", await names({ name: { $regex: "^n1", $options: "i" } }));
let done = await users.updateOne({ name: "n1" }, { $set: { city: "Bern" }, $inc: { age: 1 } });
show("update one", [done.matchedCount, done.modifiedCount]);
show("update many", (await users.updateMany({ age: { $gt: 15 } }, { $set: { old: true } })).modifiedCount);
done = await users.updateOne({ name: "new" }, { $set: { email: "new@example.com", age: 0 } }, { upsert: true });
show("upsert", [done.matchedCount, done.upsertedId !== null]);
show("replace", (await users.replaceOne({ name: "n2" }, { name: "n2", email: "n2@x", age: 2 })).modifiedCount);
const after = { ...plain, returnDocument: "after" };
show("find and modify", await users.findOneAndUpdate({ name: "n3" }, { $inc: { age: 10 } }, after));
show("find and delete", await users.findOneAndDelete({ name: "n4" }, plain));
const one = (await users.deleteOne({ name: "n5" })).deletedCount;
show("delete", [one, (await users.deleteMany({ age: { $gte: 18, $lt: 40 } })).deletedCount]);
show("count", [await users.countDocuments({ age: { $lt: 10 } }), await users.estimatedDocumentCount()]);
show("distinct", (await users.distinct("tags")).sort());
const pipeline = [{ $match: { age: { $gte: 0 } } }, { $group: { _id: "$old", n: { $sum: 1 } } }, { $sort: { n: 1 } }];
show("aggregate", await users.aggregate(pipeline).toArray());
let error = await failure(() => users.insertOne({ name: "Ann 2", email: "ann@example.com" }));
show("duplicate", [error.code, error.keyValue ?? error.errorResponse?.keyValue]);
error = await failure(() =>
  users.bulkWrite(
    [{ insertOne: { document: { email: "b1@x" } } }, { insertOne: { document: { email: "ann@example.com" } } }],
    { ordered: false },
  ),
);
show("bulk error", [error.result.insertedCount, error.writeErrors.map((each) => each.code)]);
const bulk = await users.bulkWrite([
  { insertOne: { document: { email: "b2@x" } } },
  { updateOne: { filter: { email: "b2@x" }, update: { $set: { b: 1 } } } },
  { deleteOne: { filter: { email: "b1@x" } } },
]);
show("bulk", [bulk.insertedCount, bulk.modifiedCount, bulk.deletedCount]);
show("failure", (await failure(() => db.command({ noSuchCommand: 1 }))).code);
const identity = new ObjectId("6b05804dd8efd8f3bd1c17cd");
const price = Decimal128.fromString("39.80");
await kinds.insertOne({
  _id: identity,
  at: new Date("2026-11-20T10:00:00.123Z"),
  binary: new Binary(Buffer.from([0, 255])),
  uuid: new UUID("7b0e0000-0000-4000-8000-000000000001"),
  price,
  long: Long.fromNumber(5),
  big: Long.fromNumber(2 ** 40),
  double: new Double(5),
  none: null,
  yes: true,
  nested: { a: [1, { b: "ü✓" }], empty: {}, list: [] },
  regex: /^a.c/im,
  ts: new Timestamp({ t: 1795522637, i: 3 }),
  code: new Code("function() {}"),
  min: new MinKey(),
  max: new MaxKey(),
});
const raw = await kinds.findOne({ _id: identity }, { raw: true });
show("kinds", raw.toString("hex"));
show("by kinds", await kinds.countDocuments({ price, at: { $gt: new Date("2026-01-01T00:00:00Z") } }));
await client.close();
