// Go's mongo-driver
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func show(step string, value interface{}) {
	text, err := json.Marshal([]interface{}{step, value})
	check(err)
	fmt.Println(string(text))
}

func main() {
	ctx := context.Background()
	parsed, err := connstring.Parse(os.Args[1])
	check(err)
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(os.Args[1]))
	check(err)
	defer client.Disconnect(ctx)
	db := client.Database(parsed.Database)
	users, kinds := db.Collection("users"), db.Collection("kinds")
	check(users.Drop(ctx))
	check(kinds.Drop(ctx))
	name, err := users.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{"email", 1}}, Options: options.Index().SetUnique(true)})
	check(err)
	show("index", name)
	_, err = users.InsertOne(ctx, bson.M{"name": "Ann", "email": "ann@example.com", "age": 41})
	check(err)
	many := []interface{}{}
	for i := 0; i < 20; i++ {
		user := bson.M{"name": fmt.Sprintf("n%d", i), "email": fmt.Sprintf("n%d@example.com", i), "age": i, "tags": bson.A{"a", fmt.Sprintf("t%d", i%3)}}
		many = append(many, user)
	}
	inserted, err := users.InsertMany(ctx, many)
	check(err)
	show("insert many", len(inserted.InsertedIDs))
	plain := bson.M{"_id": 0}
	var one bson.M
	check(users.FindOne(ctx, bson.M{"name": "Ann"}, options.FindOne().SetProjection(plain)).Decode(&one))
	show("find one", one)
	show("nothing", users.FindOne(ctx, bson.M{"name": "Nobody"}).Err() == mongo.ErrNoDocuments)
	var found []bson.M
	some := options.Find().SetProjection(plain).SetSort(bson.D{{"age", -1}, {"name", 1}}).SetSkip(1).SetLimit(2)
	cursor, err := users.Find(ctx, bson.M{"age": bson.M{"$gte": 5, "$lt": 9}}, some)
	check(err)
	check(cursor.All(ctx, &found))
	show("find", found)
	cursor, err = users.Find(ctx, bson.M{}, options.Find().SetBatchSize(4).SetSort(bson.M{"age": 1}))
	check(err)
	ages := []int32{}
	for cursor.Next(ctx) {
		ages = append(ages, cursor.Current.Lookup("age").Int32())
	}
	show("batches", ages)
	done, err := users.UpdateOne(ctx, bson.M{"name": "n1"}, bson.M{"$set": bson.M{"city": "Bern"}, "$inc": bson.M{"age": 1}})
	check(err)
	show("update one", []int64{done.MatchedCount, done.ModifiedCount})
	done, err = users.UpdateOne(ctx, bson.M{"name": "new"}, bson.M{"$set": bson.M{"email": "new@x", "age": 0}}, options.Update().SetUpsert(true))
	check(err)
	show("upsert", []int64{done.MatchedCount, done.UpsertedCount})
	var after bson.M
	modify := options.FindOneAndUpdate().SetReturnDocument(options.After).SetProjection(plain)
	check(users.FindOneAndUpdate(ctx, bson.M{"name": "n3"}, bson.M{"$inc": bson.M{"age": 10}}, modify).Decode(&after))
	show("find and modify", after)
	deleted, err := users.DeleteMany(ctx, bson.M{"age": bson.M{"$gte": 18, "$lt": 40}})
	check(err)
	show("delete", deleted.DeletedCount)
	count, err := users.CountDocuments(ctx, bson.M{"age": bson.M{"$lt": 10}})
	check(err)
	about, err := users.EstimatedDocumentCount(ctx)
	check(err)
	show("count", []int64{count, about})
	tags, err := users.Distinct(ctx, "tags", bson.M{})
	check(err)
	sort.Slice(tags, func(a, b int) bool { return tags[a].(string) < tags[b].(string) })
	show("distinct", tags)
	cursor, err = users.Aggregate(ctx, mongo.Pipeline{{{"$group", bson.M{"_id": nil, "n": bson.M{"$sum": 1}}}}})
	check(err)
	check(cursor.All(ctx, &found))
	show("aggregate", found)
	_, err = users.InsertOne(ctx, bson.M{"name": "Ann 2", "email": "ann@example.com"})
	show("duplicate", mongo.IsDuplicateKeyError(err))
	models := []mongo.WriteModel{
		mongo.NewInsertOneModel().SetDocument(bson.M{"email": "b2@x"}),
		mongo.NewDeleteOneModel().SetFilter(bson.M{"email": "b2@x"}),
	}
	bulk, err := users.BulkWrite(ctx, models)
	check(err)
	show("bulk", []int64{bulk.InsertedCount, bulk.DeletedCount})
	err = db.RunCommand(ctx, bson.D{{"noSuchCommand", 1}}).Err()
	failure, _ := err.(mongo.CommandError)
	show("failure", failure.Code)
	id, err := primitive.ObjectIDFromHex("6b05804dd8efd8f3bd1c17cd")
	check(err)
	price, err := primitive.ParseDecimal128("39.80")
	check(err)
	_, err = kinds.InsertOne(ctx, bson.D{
		{"_id", id},
		{"at", time.Date(2026, 11, 20, 10, 0, 0, 123000000, time.UTC)},
		{"binary", []byte{0, 255}},
		{"price", price},
		{"long", int64(5)},
		{"big", int64(1) << 40},
		{"double", 5.0},
		{"none", nil},
		{"nested", bson.D{{"a", bson.A{1, bson.D{{"b", "ü✓"}}}}, {"empty", bson.D{}}}},
		{"regex", primitive.Regex{Pattern: "^a.c", Options: "im"}},
		{"ts", primitive.Timestamp{T: 1795522637, I: 3}},
		{"min", primitive.MinKey{}},
		{"max", primitive.MaxKey{}},
	})
	check(err)
	raw, err := kinds.FindOne(ctx, bson.M{"_id": id, "price": price}).DecodeBytes()
	check(err)
	show("kinds", hex.EncodeToString(raw))
}
