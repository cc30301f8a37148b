// Java's java.net.http.HttpClient: prints one line for each step.
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

class Program {
  static HttpClient client;

  static void show(String name, HttpRequest.Builder request) throws Exception {
    HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
    String body = response.body();
    System.out.println(name + " " + response.statusCode() + " " + response.version() + " " + (body.length() > 80 ? body.length() + " letters" : body));
  }

  public static void main(String[] words) throws Exception {
    String base = words[0];
    for (HttpClient.Version version : HttpClient.Version.values()) {
      client = HttpClient.newBuilder().version(version).followRedirects(HttpClient.Redirect.NORMAL).build();
      show("item", HttpRequest.newBuilder(URI.create(base + "/items/7")).header("x-api-key", "k1"));
      show("search", HttpRequest.newBuilder(URI.create(base + "/search?q=a+b&page=2")));
      show("create", HttpRequest.newBuilder(URI.create(base + "/items")).header("content-type", "application/json").POST(BodyPublishers.ofString("{\"name\":\"Lamp\"}")));
      show("put", HttpRequest.newBuilder(URI.create(base + "/items/8")).header("content-type", "application/json").PUT(BodyPublishers.ofString("{\"name\":\"Desk\"}")));
      show("delete", HttpRequest.newBuilder(URI.create(base + "/items/8")).DELETE());
      show("words", HttpRequest.newBuilder(URI.create(base + "/words")));
      show("redirect", HttpRequest.newBuilder(URI.create(base + "/redirect")));
      show("missing", HttpRequest.newBuilder(URI.create(base + "/missing")));
    }
  }
}
