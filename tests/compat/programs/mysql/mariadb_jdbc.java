// MariaDB Connector/J: client-side and server-side prepared statements, batches, generated keys, a transaction undone.
import java.math.BigDecimal;
import java.sql.*;
import java.time.LocalDateTime;

class Program {
  static void say(Object... values) {
    StringBuilder out = new StringBuilder();
    for (Object value : values) out.append(out.length() > 0 ? " | " : "").append(value instanceof byte[] b ? java.util.HexFormat.of().formatHex(b) : value);
    System.out.println(out);
  }

  static void rows(ResultSet found) throws SQLException {
    ResultSetMetaData about = found.getMetaData();
    while (found.next()) {
      Object[] row = new Object[about.getColumnCount()];
      for (int at = 0; at < row.length; at++) row[at] = about.getColumnLabel(at + 1) + "=" + text(found.getObject(at + 1));
      say(row);
    }
  }

  static Object text(Object value) throws SQLException {
    if (value instanceof Blob blob) value = blob.getBytes(1, (int) blob.length());
    return value instanceof byte[] bytes ? java.util.HexFormat.of().formatHex(bytes) : value;
  }

  static void run(String url, String user, String password) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url, user, password)) {
      try (PreparedStatement read = connection.prepareStatement("SELECT * FROM compat_kinds WHERE id = ?")) {
        for (int id = 1; id <= 3; id++) {
          read.setInt(1, id);
          rows(read.executeQuery());
        }
      }
      connection.setAutoCommit(false);
      String insert = "INSERT INTO compat_items (sku, qty, price, made, note) VALUES (?, ?, ?, ?, ?)";
      try (PreparedStatement write = connection.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
        write.setString(1, "washer");
        write.setInt(2, 5);
        write.setBigDecimal(3, new BigDecimal("2.50"));
        write.setObject(4, LocalDateTime.of(2024, 5, 6, 7, 8, 9, 120000000));
        write.setNull(5, Types.VARCHAR);
        say(write.executeUpdate());
        ResultSet keys = write.getGeneratedKeys();
        keys.next();
        say(keys.getLong(1));
        for (int number = 0; number < 3; number++) {
          write.setString(1, "batch " + number);
          write.setInt(2, number);
          write.setNull(3, Types.DECIMAL);
          write.setNull(4, Types.TIMESTAMP);
          write.setString(5, "note");
          write.addBatch();
        }
        say(write.executeBatch().length);
        connection.rollback();
        write.setString(1, "bolt");
        write.setInt(2, 1);
        write.setNull(3, Types.DECIMAL);
        write.setNull(4, Types.TIMESTAMP);
        write.setNull(5, Types.VARCHAR);
        write.executeUpdate();
      } catch (SQLIntegrityConstraintViolationException error) {
        say(error.getErrorCode(), error.getSQLState());
      }
      connection.commit();
      connection.setAutoCommit(true);
      try (CallableStatement call = connection.prepareCall("{call compat_both(?)}")) {
        call.setInt(1, 2);
        boolean more = call.execute();
        while (more) {
          rows(call.getResultSet());
          more = call.getMoreResults();
        }
      }
      say(connection.getCatalog(), connection.getTransactionIsolation(), connection.isValid(5));
    }
  }

  public static void main(String[] words) throws Exception {
    java.net.URI at = new java.net.URI(words[0]);
    String[] who = at.getUserInfo().split(":");
    String url = "jdbc:mariadb://" + at.getHost() + ":" + at.getPort() + at.getPath();
    run(url, who[0], who[1]);
    run(url + "?useServerPrepStmts=true", who[0], who[1]);
  }
}
