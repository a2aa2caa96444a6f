// ws, as Debian packages it for Node: on `/fan` each message goes to every connection, as its documentation broadcasts.
// Compression is off, as the gateway's is there.

"use strict";

const http = require("node:http");
const { WebSocketServer, WebSocket } = require("ws");

const server = http.createServer((request, response) => response.end("ready"));
const sockets = new WebSocketServer({
  server,
  path: "/fan",
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
});

sockets.on("connection", (connection) => {
  connection.on("message", (message, isBinary) => {
    for (const listener of sockets.clients) {
      if (listener.readyState === WebSocket.OPEN) listener.send(message, { binary: isBinary });
    }
  });
});

server.listen(Number(process.argv[2]), "127.0.0.1", 4096);
