#!/usr/bin/env python3
"""Writes conf/REFERENCE.md; with --check, fails if it is out of date.

Keys and types come from conf/s3cors.schema.json, which is made from the types of the program; its tests compare them. Defaults and
descriptions come from conf/s3cors.yaml, whose keys and defaults those tests compare with the program's."""

import json
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "conf/REFERENCE.md"
# Of settings that are commented out, the keys that have a default; the values of the others are examples.
DEFAULTS = {"health_check": ("interval", "timeout"), "sign": ("when", "query"), "grants": ("ttl", "for", "up"),
            "uploads": ("max_parts",), "routes": ("fallback_delete",)}
HEAD = """# Configuration reference

Generated from the types of the program and from [s3cors.yaml](s3cors.yaml), which is the same as one file with every default. Editors
with JSON Schema support use [s3cors.schema.json](s3cors.schema.json). `s3cors check --config FILE` checks a file. An unknown key is an
error.

Flags win over the environment, the environment over the file, the file over the defaults:

"""


def flags():
    """The flags of `s3cors serve` and their variables, as declared in its source."""
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
    """What a value may be."""
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
    if schema.get("title"):
        # The type of the value.
        about = schema["title"].rstrip(".")
        return about[0].lower() + about[1:]
    words = {"array": "a list", "boolean": "`true`, `false`", "integer": "a number", "object": "an object", "string": "text"}
    return words[kind]


def description(schema):
    return one(schema).get("description", "").split("\n\n")[0]


def properties(schema):
    """The keys of a schema, in whichever of its forms has them."""
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
    """Each key of conf/s3cors.yaml with its default and the comment before or after it."""
    said, remark, path = {}, [], []
    for line in (ROOT / "conf/s3cors.yaml").read_text().splitlines():
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        setting = re.match(r"(#?)(\w+):(?: (.*))?$", text)
        if text.startswith("# ") or text == "#":
            remark.append(text[2:])
        elif setting:
            commented, key, rest = setting.groups()
            value, _, after = (rest or "").partition(" # ")
            path = path[: indent // 2] + [key]
            words = " ".join(remark) if remark else after.strip()
            said[".".join(path)] = ("" if commented else value.strip(), words)
            if commented and value.startswith("{"):
                for below, default in yaml.safe_load(value).items():
                    shown = json.dumps(default) if isinstance(default, list) else str(default)
                    said[".".join([*path, below])] = (shown if below in DEFAULTS.get(key, ()) else "", "")
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
        # conf/s3cors.yaml needs some upstream as an example.
        shown = f"`{default}`" if default and "It has no default." not in about else ""
        yield f"| `{key}` | {takes_} | {shown} | {about} |"
    yield ""


def page():
    schema = json.loads((ROOT / "conf/s3cors.schema.json").read_text())
    said, sections = sample(), {}
    for name, below in leaves(schema):
        assert name in said, f"conf/s3cors.yaml does not mention {name}"
        default, words = said[name]
        parent = said.get(name.rpartition(".")[0], ("", ""))[1] if name.count(".") > 1 else ""
        kind = takes(below)
        about = words or description(below)
        # Without a comment in the file, the type already says it.
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
            sys.exit("conf/REFERENCE.md is out of date: run tests/deploy/reference.py")
    else:
        REFERENCE.write_text(made)


main()
