"""A line that is being written at the bottom of a terminal, and what is said above it."""

import asyncio
import codecs
import os
import shutil
import sys
import termios
import unicodedata

# What a terminal would obey, or what turns the order of what follows: nobody's message may do that.
UNSEEN = {*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
CLEAN = {code: "\N{REPLACEMENT CHARACTER}" for code in UNSEEN} | {0x09: "    ", 0x0A: "\n"}


def clean(text: str) -> str:
    """The text without what a terminal would obey."""
    return text.translate(CLEAN)


def width(text: str) -> int:
    """How many columns it takes."""
    return sum(0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


class Terminal:
    """`entered` is called with each line, `edited` with what is written so far, and `left` when the user wants to go."""

    def __init__(self, entered, edited, left):
        self.entered, self.edited, self.left = entered, edited, left
        self.text, self.cursor, self.prompt = "", 0, "> "
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.escape = ""

    def __enter__(self) -> "Terminal":
        self.before = termios.tcgetattr(0)
        mode = termios.tcgetattr(0)
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(0, termios.TCSADRAIN, mode)
        asyncio.get_running_loop().add_reader(0, self._read)
        self.draw()
        return self

    def __exit__(self, *_):
        asyncio.get_running_loop().remove_reader(0)
        sys.stdout.write("\r\x1b[K")
        sys.stdout.flush()
        termios.tcsetattr(0, termios.TCSADRAIN, self.before)

    def say(self, line: str):
        """Puts a line above the one that is being written. What strangers wrote has been cleaned before."""
        sys.stdout.write(f"\r\x1b[K{line}\n")
        self.draw()

    def ask(self, prompt: str):
        """What stands before the line that is being written."""
        if prompt != self.prompt:
            self.prompt = prompt
            self.draw()

    def draw(self):
        """One row, however long the line is: what is before the cursor goes out on the left."""
        columns = shutil.get_terminal_size().columns
        prompt = self.prompt if width(self.prompt) < columns // 2 else "> "
        room = max(columns - width(prompt) - 1, 1)
        start = 0
        while width(self.text[start:self.cursor]) > room:
            start += 1
        end = len(self.text)
        while width(self.text[start:end]) > room:
            end -= 1
        back = width(self.text[self.cursor:end])
        sys.stdout.write(f"\r\x1b[K{prompt}{self.text[start:end]}" + (f"\x1b[{back}D" if back else ""))
        sys.stdout.flush()

    def _read(self):
        data = os.read(0, 4096)
        if not data:
            return self.left()
        before = self.text
        for key in self.decoder.decode(data):
            self._press(key)
        self.draw()
        if self.text != before:
            self.edited(self.text)

    def _press(self, key: str):
        if self.escape or key == "\x1b":
            self.escape += key
            # A sequence ends with a letter or "~"; Escape and another key is none.
            if len(self.escape) > 1 and (self.escape[1] not in "[O" or (len(self.escape) > 2 and (key.isalpha() or key == "~"))):
                self._move(self.escape)
                self.escape = ""
            return
        match key:
            case "\n" | "\r":
                line, self.text, self.cursor = self.text, "", 0
                self.entered(line)
            case "\x7f" | "\x08":
                self._cut(self.cursor - 1, self.cursor)
            case "\x04":  # Ctrl-D
                if self.text:
                    self._cut(self.cursor, self.cursor + 1)
                else:
                    self.left()
            case "\x01":  # Ctrl-A
                self.cursor = 0
            case "\x05":  # Ctrl-E
                self.cursor = len(self.text)
            case "\x15":  # Ctrl-U
                self._cut(0, self.cursor)
            case "\x17":  # Ctrl-W
                kept = self.text[:self.cursor].rstrip()
                self._cut(len(kept[:kept.rfind(" ") + 1]), self.cursor)
            case _ if key.isprintable():
                self.text = self.text[:self.cursor] + key + self.text[self.cursor:]
                self.cursor += 1

    def _cut(self, start: int, end: int):
        start = max(start, 0)
        self.text = self.text[:start] + self.text[end:]
        self.cursor = min(start, len(self.text))

    def _move(self, sequence: str):
        match sequence:
            case "\x1b[D":
                self.cursor = max(self.cursor - 1, 0)
            case "\x1b[C":
                self.cursor = min(self.cursor + 1, len(self.text))
            case "\x1b[H" | "\x1b[1~" | "\x1bOH":
                self.cursor = 0
            case "\x1b[F" | "\x1b[4~" | "\x1bOF":
                self.cursor = len(self.text)
            case "\x1b[3~":
                self._cut(self.cursor, self.cursor + 1)
