"""The letters that a gateway has sent, as its outbox of files holds them."""

import email
import email.policy
import re
from pathlib import Path

from program import Sluice, eventually


def letters(gateway: Sluice, address: str) -> list[str]:
    """The texts of the invitations to an address, oldest first; what else was sent to it is left out."""
    folder = Path(gateway.data) / "files/platform/mailer/outbox"
    found = []
    for file in sorted(folder.glob("*.eml")):
        letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if address in letter["To"] and "invited" in letter["Subject"]:
            found.append(letter.get_body(("plain",)).get_content())
    return found


def invitation_code(gateway: Sluice, address: str, number=1) -> str:
    """The code in the letter to an address that came as the `number`-th."""
    texts = eventually(lambda: (found := letters(gateway, address)) and len(found) >= number and found, 20)
    assert texts, f"no letter to {address}"
    return re.search(r"ic_[0-9A-Za-z]{49}", texts[number - 1])[0]
