"""Chat on FastAPI, uvicorn's websockets and sqlite3: every message is one committed row, then goes to all who are connected.

sqlite3 is called where the message is received: through a thread pool it is slower here, and the peer is to be at its best. What
was received is sent on as it is, and nobody's rights are looked at.
"""

import sqlite3
import sys
import time

import uvicorn
from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect


def application(path: str) -> FastAPI:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(
        "CREATE TABLE message (id INTEGER PRIMARY KEY, channel TEXT NOT NULL, user TEXT NOT NULL, body BLOB NOT NULL, at REAL NOT NULL)")
    app = FastAPI()
    members: set[WebSocket] = set()

    @app.get("/")
    async def ready() -> Response:
        return Response("ready")

    @app.websocket("/chat")
    async def chat(member: WebSocket) -> None:
        await member.accept()
        members.add(member)
        try:
            while True:
                body = await member.receive_bytes()
                database.execute(
                    "INSERT INTO message (channel, user, body, at) VALUES ('bench', 'bench', ?, ?)", (body, time.time()))
                for each in list(members):
                    try:
                        await each.send_bytes(body)
                    except (WebSocketDisconnect, RuntimeError):
                        members.discard(each)
        except WebSocketDisconnect:
            pass
        finally:
            members.discard(member)

    return app


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False,
        ws="websockets", ws_per_message_deflate=False,
    )
