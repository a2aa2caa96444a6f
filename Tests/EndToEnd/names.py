"""The world's DNS, as far as a test needs it: a real name server (PyPI's dnslib) on a port of its own, over UDP and TCP."""

from dnslib import CNAME, QTYPE, RCODE, RR, TXT, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

from program import free_port


class Truncating(DNSHandler):
    """What does not go into 512 bytes is asked for again over TCP (RFC 1035 §4.2.1)."""

    def get_reply(self, data):
        whole = super().get_reply(data)
        if self.protocol == "tcp" or len(whole) <= 512:
            return whole
        cut = DNSRecord.parse(data).reply()
        cut.header.tc = 1
        return cut.pack()


class NameServer(BaseResolver):
    """Has TXT records in `texts` and aliases in `aliases`, by name without a dot at the end; and says in `asked` for what it was asked."""

    def __init__(self):
        self.texts: dict[str, list[str | list[str]]] = {}
        self.aliases: dict[str, str] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.port = free_port()
        self.servers = [
            DNSServer(self, port=self.port, address="127.0.0.1", tcp=tcp, handler=Truncating, logger=DNSLogger("-request,-reply"))
            for tcp in (False, True)]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def resolve(self, request, handler):
        name = str(request.q.qname).rstrip(".").lower()
        self.asked.append((name, QTYPE[request.q.qtype], handler.protocol))
        reply = request.reply()
        if name in self.aliases:
            reply.add_answer(RR(name, QTYPE.CNAME, rdata=CNAME(self.aliases[name]), ttl=0))
            name = self.aliases[name]
        if request.q.qtype == QTYPE.TXT:
            for text in self.texts.get(name, []):
                reply.add_answer(RR(name, QTYPE.TXT, rdata=TXT(text), ttl=0))
        if not reply.rr:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply

    def __enter__(self):
        for server in self.servers:
            server.start_thread()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.stop()
            server.server.server_close()
