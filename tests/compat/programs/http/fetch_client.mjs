// node's fetch, node:http and node:http2: `node fetch_client.mjs URL` prints one JSON line for each step.
import http from "node:http";
import http2 from "node:http2";

const url = process.argv[2];
const print = (...told) => console.log(JSON.stringify(told));

async function show(name, path, init) {
  const response = await fetch(url + path, init);
  const kind = response.headers.get("content-type") ?? "";
  const text = await response.text();
  print(name, response.status, kind.includes("json") ? JSON.parse(text) : text.length);
}

const json = { "content-type": "application/json" };
await show("root", "/");
await show("item", "/items/7");
await show("search", "/search?" + new URLSearchParams({ q: "a b", page: "2" }));
await show("create", "/items", { method: "POST", headers: json, body: JSON.stringify({ name: "Lamp", price: 1.5 }) });
await show("form", "/form", { method: "POST", body: new URLSearchParams({ a: "1", b: "x y" }) });
const form = new FormData();
form.append("f", new Blob(["file content"]), "a.txt");
await show("upload", "/upload", { method: "POST", body: form });
await show("words", "/words");
await show("events", "/events");
await show("redirect", "/redirect");
await show("delete", "/items/3", { method: "DELETE" });
await show("broken", "/broken");

const agent = new http.Agent({ keepAlive: true });
for (const path of ["/", "/items/1", "/large"]) {
  await new Promise((done) =>
    http.get(url + path, { agent }, (response) => {
      let size = 0;
      response.on("data", (data) => (size += data.length));
      response.on("end", () => (print("http", response.statusCode, size), done()));
    }),
  );
}
agent.destroy();

const session = http2.connect(url);
async function stream(headers, body) {
  await new Promise((done) => {
    const request = session.request(headers);
    let status, data = "";
    request.on("response", (received) => (status = received[":status"]));
    request.setEncoding("latin1");
    request.on("data", (piece) => (data += piece));
    request.on("end", () => (print("http2", status, data.length < 500 ? data : data.length), done()));
    request.end(body);
  });
}
await stream({ ":path": "/items/2" });
await stream({ ":path": "/items", ":method": "POST", ...json }, '{"h2": true}');
await stream({ ":path": "/large" });
await Promise.all([1, 2, 3, 4].map((number) => stream({ ":path": "/items/5" })));
session.close();
