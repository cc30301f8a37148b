// GET /now, /pause: `java Java.java PORT`
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

public class Java {
    interface Wait {
        void run() throws Exception;
    }

    static String took(String name, Wait wait) throws Exception {
        long began = System.nanoTime();
        wait.run();
        long took = (System.nanoTime() - began) / 1_000_000;
        return took >= 45 && took < 5000 ? "" : ", " + name + " " + took + " ms";
    }

    static String now() {
        return Instant.now().toString().substring(0, 16).replace("-", "/").replace("T", " ").replace(":", "h");
    }

    static String pause() throws Exception {
        Object lock = new Object();
        return "waited"
            + took("sleep", () -> Thread.sleep(50))
            + took("wait", () -> { synchronized (lock) { lock.wait(50); } })
            + took("poll", () -> new ArrayBlockingQueue<String>(1).poll(50, TimeUnit.MILLISECONDS));
    }

    public static void main(String[] words) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(3));
        server.createContext("/", exchange -> {
            String body;
            try {
                boolean pausing = exchange.getRequestURI().getPath().equals("/pause");
                body = pausing ? pause() : now();
            } catch (Exception error) {
                body = error.toString();
            }
            exchange.getResponseHeaders().set("content-type", "text/plain");
            exchange.sendResponseHeaders(200, body.length());
            exchange.getResponseBody().write(body.getBytes());
            exchange.close();
        });
        server.start();
    }
}
