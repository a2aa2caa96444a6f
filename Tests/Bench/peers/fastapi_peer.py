"""FastAPI on uvicorn (uvloop, httptools) and sqlite3: every POST is one committed row, then a 201.

The handler is a coroutine that calls sqlite3 directly. A plain function would send each request through a
thread pool, which is slower here, and the peer is to be at its best.
"""

import sqlite3
import sys

import uvicorn
from fastapi import FastAPI, Request, Response


def application(path: str, synchronous: str) -> FastAPI:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"PRAGMA synchronous={synchronous}")
    database.execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    app = FastAPI()

    @app.get("/")
    async def ready() -> Response:
        return Response("ready")

    @app.post("/durable")
    async def durable(request: Request) -> Response:
        body = await request.body()
        database.execute("INSERT INTO entry (body) VALUES (?)", (body,))
        return Response(status_code=201)

    return app


if __name__ == "__main__":
    uvicorn.run(
        application(sys.argv[2], sys.argv[3]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning",
        access_log=False,
    )
