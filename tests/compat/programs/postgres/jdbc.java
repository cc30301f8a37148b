// The PostgreSQL JDBC driver: prepared statements until the server prepares them, batches, generated keys, a fetch size, COPY.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.net.URI;
import java.sql.*;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HexFormat;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;

class Program {
  static void say(Object... values) {
    StringBuilder out = new StringBuilder();
    for (Object value : values) out.append(out.length() > 0 ? " | " : "").append(value);
    System.out.println(out);
  }

  static void rows(ResultSet found) throws SQLException {
    ResultSetMetaData about = found.getMetaData();
    while (found.next()) {
      Object[] row = new Object[about.getColumnCount()];
      for (int at = 0; at < row.length; at++) {
        Object value = found.getObject(at + 1);
        if (value instanceof byte[] bytes) value = HexFormat.of().formatHex(bytes);
        if (value instanceof Timestamp moment) value = moment.toInstant();
        row[at] = about.getColumnLabel(at + 1) + ":" + about.getColumnType(at + 1) + "=" + value;
      }
      say(row);
    }
  }

  public static void main(String[] args) throws Exception {
    java.util.TimeZone.setDefault(java.util.TimeZone.getTimeZone("UTC"));
    URI at = URI.create(args[0]);
    String[] login = at.getUserInfo().split(":");
    String url = "jdbc:postgresql://" + at.getHost() + ":" + at.getPort() + at.getPath();
    if (at.getQuery() != null) url += "?" + at.getQuery();
    try (Connection connection = DriverManager.getConnection(url, login[0], login[1])) {
      try (PreparedStatement read = connection.prepareStatement("SELECT * FROM walk_items WHERE id = ?")) {
        for (int turn = 0; turn < 7; turn++) { // the sixth is prepared on the server, and its results come in binary
          read.setInt(1, 1 + turn % 3);
          rows(read.executeQuery());
        }
      }
      String insert = "INSERT INTO walk_items (name, price, ok, made, data, doc, tags) VALUES (?, ?, ?, ?, ?, ?::jsonb, ?)";
      try (PreparedStatement write = connection.prepareStatement(insert, new String[] {"id", "made"})) {
        write.setString(1, "it's");
        write.setBigDecimal(2, new BigDecimal("3.10"));
        write.setNull(3, Types.BOOLEAN);
        write.setObject(4, OffsetDateTime.of(2026, 11, 20, 12, 0, 0, 5_000_000, ZoneOffset.UTC));
        write.setBytes(5, new byte[] {0, 1, 39});
        write.setString(6, "{\"k\": [\"v\", 1]}");
        write.setArray(7, connection.createArrayOf("text", new Object[] {"x", "y z", null}));
        say(write.executeUpdate());
        rows(write.getGeneratedKeys());
      }
      try (PreparedStatement write = connection.prepareStatement("INSERT INTO walk_lines (id, item, qty) VALUES (?, ?, ?)")) {
        for (int number = 0; number < 8; number++) {
          write.setInt(1, 20 + number);
          write.setObject(2, number % 2 == 0 ? 1 : null, Types.INTEGER);
          write.setInt(3, number);
          write.addBatch();
        }
        say(java.util.Arrays.toString(write.executeBatch()));
      }
      try (PreparedStatement write = connection.prepareStatement("INSERT INTO walk_items (name) VALUES (?)")) {
        write.setString(1, "bolt");
        write.executeUpdate();
      } catch (PSQLException error) {
        say(error.getSQLState(), error.getServerErrorMessage().getConstraint());
      }
      connection.setAutoCommit(false);
      try (PreparedStatement delete = connection.prepareStatement("DELETE FROM walk_lines WHERE id = ?")) {
        delete.setInt(1, 1);
        say(delete.executeUpdate());
      }
      connection.rollback();
      Savepoint savepoint = connection.setSavepoint();
      try (Statement plain = connection.createStatement()) {
        say(plain.executeUpdate("UPDATE walk_lines SET qty = 50 WHERE id = 2"));
        connection.rollback(savepoint);
        plain.setFetchSize(2);
        rows(plain.executeQuery("SELECT id, qty, p FROM walk_lines ORDER BY id"));
      }
      connection.commit();
      connection.setAutoCommit(true);
      var copy = connection.unwrap(PGConnection.class).getCopyAPI();
      say(copy.copyIn("COPY walk_lines (id, qty) FROM STDIN WITH (FORMAT csv)", new StringReader("12,5\n13,6\n")));
      StringWriter sink = new StringWriter();
      say(copy.copyOut("COPY (SELECT id, item FROM walk_lines ORDER BY id) TO STDOUT", sink), sink.toString().replace("\n", "/"));
      try (Statement plain = connection.createStatement()) {
        boolean more = plain.execute("SELECT 1 AS one; UPDATE walk_lines SET qty = 9 WHERE id = 3; SELECT count(*) FROM walk_lines");
        while (more || plain.getUpdateCount() != -1) {
          if (more) rows(plain.getResultSet());
          else say(plain.getUpdateCount());
          more = plain.getMoreResults();
        }
      }
    }
  }
}
