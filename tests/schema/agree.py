#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Do the JSON Schemas and the C readers agree? TAP, one line for each document of the corpus.

usage: agree.py BUILD

corpus/KIND/CLASS/NAME.json, where KIND is the schema and CLASS says who must do what:

    valid    both accept it
    invalid  both refuse it; it is wrong in one way
    conly    refused by C only: nothing that a schema can judge (a gateway outside its subnet)
    1.2.3    written by that version: both accept it, for ever
"""
import json
import pathlib
import re
import subprocess
import sys

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
KINDS = ("network", "selection", "record", "cni", "lease")
# Class -> (the schema accepts it, C accepts it)
CLASSES = {
    "valid": (True, True),
    "invalid": (False, False),
    "conly": (True, False),
}
DOCUMENTS_MIN = 40


def load_schema(kind):
    schema = json.loads((HERE.parent.parent / "schema" / f"{kind}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def ask_c(reader, kind, path):
    """Returns (accepted, its one line), or raises when the reader crashed."""
    done = subprocess.run([reader, kind, str(path)], capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr}")
    return done.returncode == 0, done.stdout


def judge(validator, reader, kind, group, path):
    """Returns what is wrong with the two answers, or None."""
    is_version = re.fullmatch(r"\d+\.\d+\.\d+", group)
    wanted_schema, wanted_c = CLASSES["valid" if is_version else group]
    by_schema = validator.is_valid(json.loads(path.read_text()))
    by_c, line = ask_c(reader, kind, path)
    if by_schema != wanted_schema:
        return f"the schema {'accepts' if by_schema else 'refuses'} it"
    if by_c != wanted_c:
        return f"C {'accepts' if by_c else 'refuses'} it: {line.strip()}"
    if not by_c and (line.count("\n") != 1 or len(line) < 10):
        return f"C's answer is not one line: {line!r}"
    return None


def main():
    reader = str(pathlib.Path(sys.argv[1]) / "tools" / "schema_read")
    validators = {kind: load_schema(kind) for kind in KINDS}
    paths = sorted((HERE / "corpus").glob("*/*/*.json"))
    failed = 0
    for number, path in enumerate(paths, 1):
        kind, group = path.parts[-3:-1]
        problem = judge(validators[kind], reader, kind, group, path)
        print(f"{'not ' if problem else ''}ok {number} - {kind}: {group}: {path.stem}")
        if problem:
            print(f"# {problem}")
            failed += 1
    enough = len(paths) >= DOCUMENTS_MIN
    print(f"{'' if enough else 'not '}ok {len(paths) + 1} - the corpus has {len(paths)} documents")
    print(f"1..{len(paths) + 1}")
    return 0 if enough and not failed else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: agree.py BUILD", file=sys.stderr)
        sys.exit(2)
    sys.exit(main())
