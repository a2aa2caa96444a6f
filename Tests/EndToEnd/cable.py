"""The way between a client and its gateway, which a test cuts and mends."""

import asyncio
import contextlib
import threading


class Cable:
    """A relay of bytes on a port of its own. While it is cut, whoever connects is closed at once."""

    def __init__(self, port: int):
        self.target = port
        self.is_whole = True
        self.ends: set[asyncio.StreamWriter] = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Cable":
        self.thread.start()
        self.server = self._run(asyncio.start_server(self._carry, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self.cut()
        self._run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def cut(self):
        self._run(self._cut())

    def mend(self):
        self.is_whole = True

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def _close(self):
        self.server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut(self):
        self.is_whole = False
        for end in list(self.ends):
            end.transport.abort()

    async def _carry(self, reader, writer):
        if not self.is_whole:
            return writer.transport.abort()
        try:
            beyond, onward = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return writer.transport.abort()
        ends = {writer, onward}
        self.ends |= ends
        # It may have been cut meanwhile.
        if self.is_whole:
            await asyncio.gather(self._pour(reader, onward), self._pour(beyond, writer))
        self.ends -= ends
        for end in ends:
            end.transport.abort()

    @staticmethod
    async def _pour(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
