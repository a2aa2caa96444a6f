"""uWebSockets through socketify: `/echo` by a Python handler, `/fan` by its native publish.

Compression, the idle timeout and the per-message decode of text are off or unused: the load sends binary
frames, so nothing is done here that the gateway does not do as well.
"""

import sys

from socketify import App, AppListenOptions, CompressOptions


def serve(port: int) -> None:
    app = App()
    common = {
        "compression": CompressOptions.DISABLED,
        "max_payload_length": 64 * 1024,
        "max_backpressure": 1024 * 1024,
        "idle_timeout": 0,
    }

    def echo(ws, message, opcode):
        ws.send(message, opcode)

    def join(ws):
        ws.subscribe("fan")

    def publish(ws, message, opcode):
        # The application's publish reaches the sender too; the socket's own would leave it out.
        app.publish("fan", message, opcode)

    app.ws("/echo", {**common, "message": echo})
    app.ws("/fan", {**common, "open": join, "message": publish})
    app.get("/", lambda response, request: response.end("ready"))
    app.listen(AppListenOptions(port=port, host="127.0.0.1"))
    app.run()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
