"""Where the user's token comes from: never from the command line, which everybody on the machine can read."""

import asyncio
import os
import subprocess
from pathlib import Path


class TokenSource:
    """A token from the environment, a file or a command. The latter two are asked again when the token is no longer good."""

    def __init__(self, file: str | None, command: str | None):
        self.file, self.command = file, command
        self.value = ""
        self.refused = ""

    def read(self) -> str:
        """Raises `ValueError` when there is none."""
        if self.command:
            done = subprocess.run(self.command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            if done.returncode != 0:
                raise ValueError(f"the command for the token ended with {done.returncode}")
            token = done.stdout.strip()
        elif self.file:
            try:
                token = Path(self.file).read_text().strip()
            except OSError as error:
                raise ValueError(f"the token cannot be read: {error}") from None
        else:
            token = os.environ.get("SLUICE_TOKEN", "").strip()
        if not token:
            raise ValueError("there is no token: set SLUICE_TOKEN, or say --token-file or --token-command")
        self.value = token
        return token

    async def renew(self) -> bool:
        """Whether there is another token than the one that was refused."""
        before = self.value
        if not (self.file or self.command):
            return False
        try:
            return await asyncio.to_thread(self.read) != before
        except ValueError:
            return False
