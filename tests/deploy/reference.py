#!/usr/bin/env python3
"""Writes conf/REFERENCE.md, or with --check says whether it is right.

What keys there are and what they take comes from conf/s3cors.schema.json, which is made from the types of the program and compared with
them by its tests. Defaults and words come from conf/s3cors.yaml, whose keys and defaults those tests compare with the program's."""

import json
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "conf/REFERENCE.md"
HEAD = """# Configuration reference

Made from the types of the program and from [s3cors.yaml](s3cors.yaml), which has the same as one file with every default. Editors that
know JSON Schema complete and check it by [s3cors.schema.json](s3cors.schema.json). `s3cors check --config FILE` says whether a file is
right. A key that is not known is an error.

Flags win over the environment, the environment over the file, the file over the defaults:

"""


def flags():
    """The flags of `s3cors serve`, and their variables, as its source declares them."""
    source = (ROOT / "proxy/src/config/flags.rs").read_text()
    found = re.findall(r'/// (.*)\n\s*#\[arg\(long, value_name = "(\w+)", env = "(\w+)".*\)\]\n\s*pub (\w+):', source)
    yield "| flag | environment | |"
    yield "|---|---|---|"
    for words, value, variable, name in found:
        yield f"| `--{name} {value}` | `{variable}` | {words} |"


def nothing(schema):
    return schema.get("type") == "null"


def one(schema):
    """A schema without the "or nothing" of a key that may be left out."""
    choices = [choice for choice in schema.get("anyOf", []) if not nothing(choice)]
    return one(choices[0]) if len(choices) == 1 else schema


def takes(schema):
    """What a value may be, in words."""
    schema = one(schema)
    if "anyOf" in schema:
        return ", or ".join(dict.fromkeys(takes(choice) for choice in schema["anyOf"] if not nothing(choice)))
    values = [value for value in schema.get("enum", []) if value is not None]
    values += [choice["const"] for choice in schema.get("oneOf", []) if "const" in choice]
    values += [value for choice in schema.get("oneOf", []) for value in choice.get("enum", [])]
    if values:
        return ", ".join(f"`{value}`" for value in values)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kind = next(kind for kind in kinds if kind != "null")
    if kind == "string" and schema.get("description"):
        # The type of the value says what it is.
        about = description(schema).rstrip(".")
        return about[0].lower() + about[1:]
    words = {"array": "a list", "boolean": "`true`, `false`", "integer": "a number", "object": "an object", "string": "text"}
    return words[kind]


def description(schema):
    return one(schema).get("description", "").split("\n\n")[0]


def properties(schema):
    """The keys below a schema, whichever of its forms has them."""
    schema = one(schema)
    if "properties" in schema:
        return schema["properties"]
    return next((p for choice in schema.get("anyOf", []) if (p := properties(choice))), {})


def leaves(schema, path=""):
    for key, below in properties(schema).items():
        name = f"{path}.{key}" if path else key
        if properties(below):
            yield from leaves(below, name)
        else:
            yield name, below


def sample():
    """Key by key what conf/s3cors.yaml says: its default, and the remark before or behind it."""
    said, remark, path = {}, [], []
    for line in (ROOT / "conf/s3cors.yaml").read_text().splitlines():
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        setting = re.match(r"(#?)(\w+):(?: (.*))?$", text)
        if text.startswith("# ") or text == "#":
            remark.append(text[2:])
        elif setting:
            commented, key, rest = setting.groups()
            value, _, behind = (rest or "").partition(" # ")
            path = path[: indent // 2] + [key]
            words = " ".join(remark) if remark else behind.strip()
            said[".".join(path)] = ("" if commented else value.strip(), words)
            if commented and value.startswith("{"):
                for below, default in yaml.safe_load(value).items():
                    said[".".join([*path, below])] = (str(default) if key == "health_check" and below != "path" else "", "")
            remark = []
        elif not text:
            remark = []
    return said


def table(section, rows, words):
    yield f"## {section}\n"
    if words:
        yield f"{words}\n"
    yield "| key | takes | default | |"
    yield "|---|---|---|---|"
    for key, takes_, default, about in rows:
        about = about.replace("|", "\\|").replace("<", "&lt;")
        # conf/s3cors.yaml has to name some upstream.
        shown = f"`{default}`" if default and "It has no default." not in about else ""
        yield f"| `{key}` | {takes_} | {shown} | {about} |"
    yield ""


def page():
    schema = json.loads((ROOT / "conf/s3cors.schema.json").read_text())
    said, sections = sample(), {}
    for name, below in leaves(schema):
        assert name in said, f"conf/s3cors.yaml does not say anything about {name}"
        default, words = said[name]
        parent = said.get(name.rpartition(".")[0], ("", ""))[1] if name.count(".") > 1 else ""
        kind = takes(below)
        about = words or description(below)
        # Where the file says nothing, the type has said it already.
        row = (name, kind, default, "" if about.rstrip(".").lower() == kind.lower() else about, parent)
        sections.setdefault(name.split(".")[0], []).append(row)
    lines = [HEAD + "\n".join(flags()), ""]
    order = [key for key in said if "." not in key]
    for section in sorted(sections, key=order.index):
        rows, about = [], said[section][1] if len(sections[section]) > 1 else ""
        seen = ""
        for name, takes_, default, words, parent in sorted(sections[section], key=lambda row: list(said).index(row[0])):
            group = name.rpartition(".")[0]
            if parent and group != seen:
                rows.append((group, "an object", "", parent))
            seen = group
            rows.append((name, takes_, default, words))
        lines += table(section, rows, about)
    return "\n".join(lines).rstrip() + "\n"


def main():
    made = page()
    if "--check" in sys.argv:
        sample_file = ["check-jsonschema", "--schemafile", ROOT / "conf/s3cors.schema.json", ROOT / "conf/s3cors.yaml"]
        subprocess.run(sample_file, check=True)
        if REFERENCE.read_text() != made:
            sys.exit("conf/REFERENCE.md is not what tests/deploy/reference.py makes: run it")
    else:
        REFERENCE.write_text(made)


main()
