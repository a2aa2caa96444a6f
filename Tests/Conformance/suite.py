"""Runs the PyPI package autobahntestsuite, which is Python 2 source, on Python 3 (up to 3.12: it needs lib2to3).

    suite.py prepare                              converts the installed package in place, once
    suite.py run URL RESULTS CASES EXCLUDED       runs the fuzzing client and writes RESULTS as JSON

Syntax is converted by lib2to3. What Python 2 called strings stay native strings here, read as Latin-1, one character an
octet, and become bytes only where they reach the protocol: every octet on the wire is the one that the suite sent under
Python 2. Verdicts are the package's own; its reports and wire logs are left out.
"""

import contextlib
import json
import re
import sys
import warnings
from pathlib import Path

INITIAL = '''
import binascii as _binascii, warnings
warnings.filterwarnings("ignore")
version = "25.10.1"
from autobahn.websocket.utf8validator import Utf8Validator as _Validator

def _octets(text):
    return text if isinstance(text, (bytes, bytearray)) else text.encode("latin-1")

class Utf8Validator(_Validator):
    def validate(self, text):
        return _Validator.validate(self, _octets(text))

class hexadecimal:
    @staticmethod
    def b2a_hex(text):
        return _binascii.b2a_hex(_octets(text)).decode()
    hexlify = b2a_hex
'''
REPORT = "CSS_COMMON = CSS_DETAIL_REPORT = CSS_MASTER_REPORT = JS_MASTER_REPORT = ''\n"


def octets(text) -> bytes:
    return text if isinstance(text, (bytes, bytearray)) else text.encode("latin-1")


def package() -> Path:
    for entry in sys.path:
        folder = Path(entry) / "autobahntestsuite"
        if (folder / "fuzzing.py").is_file():
            return folder
    raise SystemExit("autobahntestsuite is not installed")


def snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: "_" + letter.group().lower(), name)


def convert(source: str, name: str) -> str:
    """What lib2to3 cannot know."""
    source = source.replace("(object, Case, )", "(Case, )")
    source = source.replace(
        "from autobahn.websocket.utf8validator import Utf8Validator", "from autobahntestsuite import Utf8Validator")
    source = re.sub(r"^import binascii$", "from autobahntestsuite import hexadecimal as binascii", source, flags=re.M)
    if name == "case6_x_x.py":  # the octets of a code point
        source = re.sub(
            r"(\bchr\(\w+\))\.encode\(\"utf-8\"\)", r'\1.encode("utf-8", "surrogatepass").decode("latin-1")', source)
    if name == "__init__.py":  # not among the cases that run
        source = source.replace("from .case9_9_1 import *", "")
    if name == "case10_1_1.py":
        source = source.replace("len(self.payload) / self.p", "len(self.payload) // self.p")
    if name == "case12_x_x.py":
        source = source.replace("from autobahntestsuite import hexadecimal as binascii", "import binascii")
        for option in ("requestNoContextTakeover", "requestMaxWindowBits", "acceptNoContextTakeover",
                       "acceptMaxWindowBits"):
            source = source.replace(option, snake_case(option))
        source = source.replace('"CLIENT_OFFERS"', '"RAW": True, "CLIENT_OFFERS"')
    if name == "case.py":
        source = source.replace("pickle.dumps(obj1) == pickle.dumps(obj2)", "obj1 == obj2")
    return source


def prepare():
    folder = package()
    mark = folder / ".converted"
    if mark.exists():
        return
    warnings.simplefilter("ignore")
    from lib2to3.refactor import RefactoringTool, get_fixers_from_package

    tool = RefactoringTool(get_fixers_from_package("lib2to3.fixes"))
    for file in [folder / "fuzzing.py", folder / "caseset.py", *sorted((folder / "case").glob("*.py"))]:
        source = file.read_bytes().decode("latin-1").replace("\r\n", "\n")
        source = str(tool.refactor_string(source.rstrip("\n") + "\n", str(file)))
        file.write_text(convert(source, file.name), encoding="utf-8")
    (folder / "report.py").write_text(REPORT)
    (folder / "__init__.py").write_text(INITIAL)  # the package's own imports modes that need more
    mark.touch()


def protocol(fuzzing):
    """The suite's client, with bytes at its border with autobahn."""
    base = fuzzing.WebSocketClientProtocol

    class Protocol(fuzzing.FuzzingClientProtocol):
        debug = False

        def __setattr__(self, name, value):
            object.__setattr__(self, name, False if name == "createWirelog" else value)

        def enableWirelog(self, _):
            pass

        def sendFrame(self, opcode, payload=b"", fin=True, rsv=0, mask=None, payload_len=None, chopsize=None, sync=False):
            return base.sendFrame(self, opcode, octets(payload), fin, rsv, mask, payload_len, chopsize, sync)

        def sendMessage(self, payload, isBinary=False, fragmentSize=None, sync=False, doNotCompress=False):
            return base.sendMessage(self, octets(payload), isBinary, fragmentSize, sync, doNotCompress)

        def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
            return base.sendCloseFrame(self, code, octets(reasonUtf8) if reasonUtf8 else reasonUtf8, isReply)

        def sendMessageFrameData(self, payload, sync=False):
            return base.sendMessageFrameData(self, octets(payload), sync)

        def _text(self, payload):
            return payload if getattr(self.runCase, "RAW", False) else bytes(payload).decode("latin-1")

        def onMessage(self, message, binary):
            self.runCase.onMessage(self._text(message), binary)

        def onPong(self, payload):
            self.runCase.onPong(self._text(payload))

        def onClose(self, clean, code, reason):
            self.runCase.onClose(clean, code, reason)

    return Protocol


def run(url: str, results: str, cases: str, excluded: str):
    from twisted.internet import epollreactor

    epollreactor.install()
    import autobahn
    from twisted.internet import reactor
    from twisted.python import log

    if not hasattr(autobahn, "version"):
        autobahn.version = autobahn.__version__
    from autobahntestsuite import fuzzing

    client = protocol(fuzzing)
    initialise = fuzzing.WebSocketClientFactory.__init__
    fuzzing.WebSocketClientFactory.__init__ = (
        lambda self, *arguments, debug=None, debugCodePaths=None, **options: initialise(self, *arguments, **options))
    fuzzing.asciiLogData = lambda data, maxlen=64, replace=False: repr(data[:maxlen])

    class Factory(fuzzing.FuzzingClientFactory):
        def buildProtocol(self, _):
            built = client()
            built.factory = self
            built.caseAgent = self.agent
            built.case = self.currentCaseIndex
            built.Case = fuzzing.Cases[self.currentCaseIndex - 1]
            built.runCase = built.Case(built)
            return built

        def createReports(self, *_, **__):
            kept = ("behavior", "behaviorClose", "result", "resultClose", "duration", "remoteCloseCode")
            found = {
                case: {name: verdict[name] for name in kept} for case, verdict in self.agents.get("peer", {}).items()}
            Path(results).write_text(json.dumps({"wanted": self.specCases, "results": found}, indent=1))

    specification = {
        "options": {"failByDrop": False, "closeHandshakeTimeout": 5, "openHandshakeTimeout": 10},
        "servers": [{"agent": "peer", "url": url}], "outdir": str(Path(results).parent), "cases": cases.split(","),
        "exclude-cases": [case for case in excluded.split(",") if case], "exclude-agent-cases": {},
    }
    with Path(results).with_suffix(".log").open("w") as output:
        log.startLogging(output, setStdout=False)
        with contextlib.redirect_stdout(output):
            Factory(specification)
            reactor.run()


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare()
    else:
        run(*sys.argv[2:6])
