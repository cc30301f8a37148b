// Java's MongoDB driver
import com.mongodb.ErrorCategory;
import com.mongodb.MongoClient;
import com.mongodb.MongoClientURI;
import com.mongodb.MongoCommandException;
import com.mongodb.MongoWriteException;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.IndexOptions;
import com.mongodb.client.model.UpdateOptions;
import com.mongodb.client.result.UpdateResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.bson.Document;
import org.bson.types.Binary;
import org.bson.types.Decimal128;
import org.bson.types.ObjectId;

public class MongoJava {
    static void show(String step, Object value) {
        System.out.println(new Document(step, value).toJson());
    }

    public static void main(String[] arguments) {
        Logger.getLogger("org.mongodb.driver").setLevel(Level.OFF);
        MongoClientURI uri = new MongoClientURI(arguments[0]);
        try (MongoClient client = new MongoClient(uri)) {
            MongoDatabase db = client.getDatabase(uri.getDatabase());
            MongoCollection<Document> users = db.getCollection("users");
            MongoCollection<Document> kinds = db.getCollection("kinds");
            users.drop();
            kinds.drop();
            Document plain = new Document("_id", 0);
            show("index", users.createIndex(new Document("email", 1), new IndexOptions().unique(true)));
            users.insertOne(new Document("name", "Ann").append("email", "ann@example.com").append("age", 41));
            List<Document> many = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                many.add(new Document("name", "n" + i).append("email", "n" + i + "@example.com").append("age", i));
            }
            users.insertMany(many);
            show("find one", users.find(new Document("name", "Ann")).projection(plain).first());
            Document between = new Document("age", new Document("$gte", 5).append("$lt", 9));
            show("find", users.find(between).projection(plain).sort(new Document("age", -1)).skip(1).limit(2).into(new ArrayList<>()));
            List<Integer> ages = new ArrayList<>();
            for (Document user : users.find().batchSize(4).sort(new Document("age", 1))) {
                ages.add(user.getInteger("age"));
            }
            show("batches", ages);
            Document named = new Document("name", "n1");
            UpdateResult done = users.updateOne(named, new Document("$set", new Document("city", "Bern")));
            show("update one", Arrays.asList(done.getMatchedCount(), done.getModifiedCount()));
            Document age = new Document("$set", new Document("age", 0).append("email", "new@x"));
            done = users.updateOne(new Document("name", "new"), age, new UpdateOptions().upsert(true));
            show("upsert", Arrays.asList(done.getMatchedCount(), done.getUpsertedId() != null));
            Document modify = new Document("findAndModify", "users").append("query", new Document("name", "n3"));
            modify.append("update", new Document("$inc", new Document("age", 10))).append("new", true);
            show("find and modify", db.runCommand(modify).get("value", Document.class).getInteger("age"));
            Document old = new Document("age", new Document("$gte", 18).append("$lt", 40));
            show("delete", users.deleteMany(old).getDeletedCount());
            show("count", users.count(new Document("age", new Document("$lt", 10))));
            show("distinct", users.distinct("city", String.class).into(new ArrayList<>()));
            Document group = new Document("$group", new Document("_id", null).append("n", new Document("$sum", 1)));
            show("aggregate", users.aggregate(Arrays.asList(group)).into(new ArrayList<>()));
            try {
                users.insertOne(new Document("email", "ann@example.com"));
            } catch (MongoWriteException error) {
                show("duplicate", error.getError().getCategory() == ErrorCategory.DUPLICATE_KEY);
            }
            try {
                db.runCommand(new Document("noSuchCommand", 1));
            } catch (MongoCommandException error) {
                show("failure", error.getErrorCode());
            }
            ObjectId id = new ObjectId("6b05804dd8efd8f3bd1c17cd");
            Document kind = new Document("_id", id)
                .append("at", new Date(1795168800123L))
                .append("binary", new Binary(new byte[] {0, -1}))
                .append("price", Decimal128.parse("39.80"))
                .append("long", 5L)
                .append("big", 1L << 40)
                .append("double", 5.0)
                .append("none", null)
                .append("nested", new Document("a", Arrays.asList(1, new Document("b", "ü✓"))));
            kinds.insertOne(kind);
            show("kinds", kinds.find(new Document("_id", id)).first());
        }
    }
}
