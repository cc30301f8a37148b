// axios and undici: `axios_client.mjs URL` prints one JSON line for each step.
import axios from "axios";
import { request } from "undici";

const base = process.argv[2];
const client = axios.create({ baseURL: base, validateStatus: () => true, headers: { "x-api-key": "k1" } });
const show = (name, response) => console.log(JSON.stringify([name, response.status, response.data]));

show("item", await client.get("/items/7"));
show("search", await client.get("/search", { params: { q: "a b", page: 2 } }));
show("create", await client.post("/items", { name: "Lamp", price: 1.5 }));
show("form", await client.post("/form", new URLSearchParams({ a: "1", b: "x y" })));
show("delete", await client.delete("/items/9"));
show("words", { status: 200, data: (await client.get("/words")).data.length });
show("missing", await client.get("/missing"));
for (const path of ["/items/5", "/missing"]) {
  const { statusCode, body } = await request(base + path);
  console.log(JSON.stringify(["undici", statusCode, await body.text()]));
}
const { statusCode, body } = await request(`${base}/items`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"a": 1}' });
console.log(JSON.stringify(["undici", statusCode, await body.json()]));
