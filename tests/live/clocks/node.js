// GET /now, /pause: `node node.js PORT`
const http = require("http");
const now = () => new Date().toISOString().slice(0, 16).replaceAll("-", "/").replace("T", " ").replace(":", "h");

http.createServer(async (request, response) => {
  response.setHeader("content-type", "text/plain");
  if (request.url !== "/pause") return response.end(now());
  const began = process.hrtime.bigint();
  await new Promise((done) => setTimeout(done, 50));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  const took = Number(process.hrtime.bigint() - began) / 1e6;
  response.end(took > 80 && took < 5000 ? "waited" : `waited ${took} ms`);
}).listen(Number(process.argv[2]), "127.0.0.1");
