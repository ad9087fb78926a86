#!/usr/bin/env python3
"""Follows the guides: writes the files that they show, runs their commands, and compares the output with the page.

A fenced block whose first line names a file (```xml rules/photos.xml) is that file. In a ```console block, a line that begins with
"$ s3cors" is run in the folder of those files, and the lines below it are the expected output. --write updates the pages.
The program is in $S3CORS."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "deploy/guides").glob("*.md")), ROOT / "deploy/README.md"]
BLOCK = re.compile(r"^( *)```(\w+)(?: (\S+))?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(text):
    """Language, file name, content and indent; a block in a list is indented."""
    for indent, language, name, content in BLOCK.findall(text):
        yield language, name, re.sub(f"^{indent}", "", content, flags=re.MULTILINE), indent


def type_in(block, folder):
    """The block as a terminal would show it."""
    shown = ""
    for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
        assert command.startswith("s3cors "), f"not a command of s3cors: {command}"
        arguments = [os.environ["S3CORS"], *command.split()[1:]]
        result = subprocess.run(arguments, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        shown += f"$ {command}\n{result.stdout}"
    return shown


def indented(block, indent):
    return re.sub("^(?=.)", indent, block, flags=re.MULTILINE)


def main():
    write, wrong, run = "--write" in sys.argv, [], 0
    for page in PAGES:
        text = page.read_text()
        with tempfile.TemporaryDirectory() as folder:
            for _, name, block, _ in blocks(text):
                if name:
                    file = pathlib.Path(folder, name)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(block)
            for language, _, block, indent in blocks(text):
                if language != "console":
                    continue
                run += 1
                shown = type_in(block, folder)
                if shown != block and write:
                    text = text.replace(indented(block, indent), indented(shown, indent))
                    page.write_text(text)
                elif shown != block:
                    wrong.append(f"{page.relative_to(ROOT)} says:\n{block}but the output is:\n{shown}")
    print(*wrong, f"{run} blocks run", sep="\n")
    sys.exit(bool(wrong or not run))


main()
