# SPDX-License-Identifier: MIT
"""The splitter against psql: the same scripts, the same statements.

A server that answers "done" to everything writes down what psql -f sends to
it; split_tool says what the splitter makes of the same file.  What is known to
differ, and why:
- psql drops blank lines, comments before a statement and a byte order mark;
- psql reads line by line, so that an E'...' which goes on in the next line
  loses its backslashes: scripts with E'' are generated with CR for line ends;
- psql takes any BEGIN of a CREATE FUNCTION for BEGIN ATOMIC, and x.end for END;
- backslash commands and variables are psql's own; those that are not set stay;
- what is not terminated psql sends, the splitter refuses.
COUNT is how many scripts of each kind are made, SEED which.
"""

import os
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading

MARK = b"-- next file"  # psql -c sends comments as they are
BATCH = 100
COUNT = int(os.environ.get("COUNT") or 1500)
SEED = os.environ.get("SEED") or ""
COPY = re.compile(rb"\s*copy\b[^']*\bfrom\s+stdin\b", re.I)
ROWS = b"\1rows "  # what a COPY read, among the queries


def message(kind, body):
    return kind + struct.pack("!i", len(body) + 4) + body


class Recorder(threading.Thread):
    """Takes one connection; queries is what was sent over it."""

    def __init__(self, strings):
        super().__init__(daemon=True)
        self.strings = strings
        self.queries = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def take(self, n):
        data = b""
        while len(data) < n:
            more = self.conn.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def greet(self):
        while True:
            (size,) = struct.unpack("!i", self.take(4))
            (code,) = struct.unpack("!i", self.take(size - 4)[:4])
            if code == 196608:
                break
            self.conn.sendall(b"N")
        out = message(b"R", struct.pack("!i", 0))
        for name, value in (
            (b"server_version", b"15.0"),
            (b"client_encoding", b"UTF8"),
            (b"standard_conforming_strings", self.strings),
        ):
            out += message(b"S", name + b"\0" + value + b"\0")
        self.conn.sendall(out + message(b"Z", b"I"))

    def take_rows(self):
        self.conn.sendall(message(b"G", b"\0\0\0"))
        rows = b""
        while True:
            kind = self.take(1)
            (size,) = struct.unpack("!i", self.take(4))
            body = self.take(size - 4)
            if kind != b"d":
                break
            rows += body
        # old ones send the line that ends them, too
        self.queries.append(ROWS + re.sub(rb"\\\.\r?\n\Z", b"", rows))

    def run(self):
        self.conn, _ = self.listener.accept()
        self.conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.greet()
            while True:
                kind = self.take(1)
                (size,) = struct.unpack("!i", self.take(4))
                body = self.take(size - 4)
                if kind != b"Q":
                    break
                self.queries.append(body[:-1])
                if COPY.match(body, skip_blank(body, 0)):
                    self.take_rows()
                self.conn.sendall(message(b"C", b"OK\0") + message(b"Z", b"I"))
        except EOFError:
            pass
        self.conn.close()
        self.listener.close()


def psql_statements(psql, files, strings):
    """A list of queries for each file."""
    recorder = Recorder(strings)
    recorder.start()
    args = [psql, "-X", "-q", "-h", "127.0.0.1", "-p", str(recorder.port)]
    args += ["-U", "u", "-d", "sslmode=disable dbname=d"]
    for name in files:
        args += ["-f", name, "-c", MARK.decode()]
    done = subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True)
    recorder.join(60)
    if done.returncode != 0 or recorder.is_alive():
        sys.exit("psql failed: " + done.stderr.decode(errors="replace"))
    result = [[]]
    for query in recorder.queries:
        if query == MARK:
            result.append([])
        else:
            result[-1].append(query)
    return result[:-1]


def our_statements(tool, files, strings):
    """For each file its statements, and the problem or None."""
    args = [tool] + (["off"] if strings == b"off" else [])
    args += (["psql"] if "copies" in files[0] else []) + files
    done = subprocess.run(args, check=True, capture_output=True)
    result = []
    for line in done.stdout.splitlines():
        if line.startswith(b"file "):
            with open(line[5:], "rb") as f:
                text = f.read()
            result.append(([], []))
            continue
        match = re.match(rb"rows (\d+) (\d+)", line)
        if match:
            start, end = map(int, match.groups())
            result[-1][0].append(ROWS + text[start:end])
            continue
        match = re.match(rb"(\d+) (\d+) \d+ ", line)
        if match:
            start, end = map(int, match.groups())
            result[-1][0].append(text[start:end])
        else:
            result[-1][1].append(line)
    return result


def skip_blank(text, at):
    """Past blanks and comments."""
    while True:
        match = re.compile(rb"(?:[ \t\n\r\f\v]+|--[^\n\r]*)+").match(text, at)
        if match:
            at = match.end()
        if not text.startswith(b"/*", at):
            return at
        depth = 0
        for part in re.compile(rb"/\*|\*/").finditer(text, at):
            depth += 1 if part.group() == b"/*" else -1
            if depth == 0:
                at = part.end()
                break
        else:
            return len(text)


def difference(theirs, ours, problem):
    """None, or what differs between two lists of statements."""
    theirs = [re.sub(rb"\n+", b"\n", t) for t in theirs]
    theirs = [t[skip_blank(t, 0):] for t in theirs]
    theirs = [t for t in theirs if t not in (b"", b";")]
    for i, our in enumerate(ours):
        our = re.sub(rb"\n+", b"\n", our)
        if i == 0 and our.startswith(b"\xef\xbb\xbf"):
            our = our[3:]
        their = theirs[i] if i < len(theirs) else b""
        rest = their[len(our):]
        at = skip_blank(rest, 0)
        if rest[at:] == b";":
            at += 1
        if not their.startswith(our) or at != len(rest):
            return "statement %d\n  psql: %r\n  ours: %r" % (i + 1, their, our)
    if len(theirs) - len(ours) not in ((0, 1) if problem else (0,)):
        return "psql sends %d, we %d" % (len(theirs), len(ours))
    return None


def compare(psql, tool, files, strings):
    """How many scripts there were, statements, problems, differences."""
    counts = [0, 0, 0, 0]
    for i in range(0, len(files), BATCH):
        part = files[i : i + BATCH]
        theirs = psql_statements(psql, part, strings)
        ours = our_statements(tool, part, strings)
        if len(theirs) != len(part) or len(ours) != len(part):
            sys.exit("not all files were answered")
        for name, their, (our, problem) in zip(part, theirs, ours):
            what = difference(their, our, problem)
            counts[0] += 1
            counts[1] += len(our)
            counts[2] += bool(problem)
            if what:
                counts[3] += 1
                with open(name, "rb") as f:
                    print("FAIL %s: %s\n%r" % (name, what, f.read()[:500]))
    return counts


WORDS = [" create ", " or ", " replace ", " function ", " procedure ", " a ",
         " begin atomic ", " case ", " end ", " create function f() ",
         " select ", "_x", "1 ", "$1 ", "b$c$d ", "\u00e9"]
SIGNS = [";", ";", ";", ";", "(", ")", "'", "'", "''", '"', '"', '""', "$$",
         "$$", "$a$", "$a$", "$a", "$", "--", "/*", "*/", "*", "/", "-", "+",
         " ", "\t", "\f", "n'", "U&'", 'u&"', "B'", "x'", "[", ",", "@"]
INSIDE = ["a", ";", "$$", "--", "/*", "*/", "(", ")", " begin ", "\r", "''"]


def soup(rng, more=()):
    """Anything: most of it is not terminated somewhere."""
    pieces = WORDS + SIGNS + ["\n"] * 6 + list(more)
    return "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 40)))


def variables(rng):
    """With psql's variables, of which none is set, and nothing behind them:
    for psql, :x$a$ begins a string."""
    return soup(rng, [":x ", ":'y'", ':"z"', ": ", "::int", "[1:2]", ":=", ":{"])


def odd_bytes(rng):
    """In no encoding, or in another one; a NUL ends a line for psql."""
    return soup(rng, ["\udc80", "\udcff", "\udcc3", "\udca4$", "$\udce9$",
                      "$\udce9$", "\xad", "\u2028", "\x01", "\x7f"])


def quoted(rng, prefix, inside):
    content = "".join(rng.choice(inside) for _ in range(rng.randrange(6)))
    return prefix + "'" + content + "'"


def escaped(rng, prefix):
    """A string with backslashes, which may go on behind a line end."""
    inside = INSIDE + ["\\'", "\\\\", "\\x41", "\\'"]
    parts = [quoted(rng, prefix, inside)]
    while rng.random() < 0.3:
        parts.append(rng.choice(["\r", " \r\t", "--;\r", " -- '\r--'\r"]))
        parts.append(quoted(rng, "", inside))
    return "".join(parts)


def standard(rng, prefix):
    return quoted(rng, prefix, INSIDE + ["\\"])


def dollars(rng):
    tag = rng.choice(["$$", "$a$", "$_b1$", "$\u00e9$"])
    inside = [";", "'", "\\", "$", "$1$", "$c$", '"', "--", "/*", " $ ", "\r"]
    return tag + "".join(rng.choice(inside) + " " for _ in range(5)) + tag


def comment(rng, depth=0):
    inside = [";", "'", "\\", "$$", '"', "--", "/ *", "* /", "**", "//", "\r"]
    parts = [rng.choice(inside) for _ in range(rng.randrange(5))]
    if depth < 3 and rng.random() < 0.4:
        parts.insert(len(parts) // 2, comment(rng, depth + 1))
    return "/*" + " ".join(parts) + " */"


def tokens(rng, strings):
    """Only whole tokens, so that a backslash is always within quotes."""
    plain = standard if strings == b"on" else escaped
    makers = [
        lambda: escaped(rng, rng.choice("eE")),
        lambda: plain(rng, rng.choice(["", "n", "N"])),
        lambda: quoted(rng, rng.choice(["B", "x", "U&"]), ["a", ";", "\\", "$"]),
        lambda: '"' + rng.choice(["", ";", "'", "\\", '""', "--"]) + '"',
        lambda: 'U&"' + rng.choice(["a", ";", "'", "\\", '""', "--"]) + '"',
        lambda: dollars(rng),
        lambda: comment(rng),
        lambda: "--" + rng.choice([";", "'", "\\", "$$", '"', "/*"]) + "\r",
        lambda: rng.choice([";", ";", "(", ")", "+", "[", "-", "/", "*", "="]),
        lambda: rng.choice(WORDS),
        lambda: " create function f() begin atomic a; case a end; end ",
        lambda: " create or replace procedure f() begin/**/atomic a; b end ",
    ]
    parts = []
    for _ in range(rng.randrange(1, 25)):
        parts.append(rng.choice(makers)())
        # two strings with only a line end between them would be one
        parts.append(rng.choice([" a ", " , ", "; ", " \r;", " a\ra "]))
    return "".join(parts)


def rows(rng):
    inside = ["a", "\t", "\\N", "'", ";", "$$", "--", "/*", "\\\\", "\\.x", " \\.",
              '"', "\u00e9", "select 1;", "\\n", "copy t from stdin;"]
    lines = ["".join(rng.choice(inside) for _ in range(rng.randrange(5)))
             for _ in range(rng.randrange(4))]
    return "".join(x + rng.choice(["\n", "\n", "\r\n"])
                   for x in lines if x.strip() != "\\.")


def copies(rng):
    """Scripts in which COPY has rows, and now and then more on its line."""
    parts = []
    for _ in range(rng.randrange(1, 6)):
        if rng.random() < 0.4:
            parts.append(rng.choice([
                "select 1;", "select 'copy t from stdin;';\n", "/* ; */ a;",
                "do $$ copy t from stdin; $$;\n", "\n", "-- copy\n"]))
            continue
        several = rng.choice([1, 1, 1, 2])
        parts += (rng.choice([
            "copy t from stdin;", "COPY t(a, b) FROM STDIN (FORMAT csv);",
            "copy public.t from  stdin with delimiter E'|' ;",
            "copy t from stdin /* x */;", "copy\tt from stdin;",
            # its rows follow the line of the first one
            "copy t\nfrom stdin;" if i == 0 else "copy t from stdin;"])
            for i in range(several))
        parts.append(rng.choice(["", "", " select 2;", " -- x", " /* y */ "]))
        parts.append("\n")
        parts += (rows(rng) + "\\.\n" for _ in range(several))
    return "".join(parts)


def generate(directory, name, count, make):
    rng = random.Random(name + SEED)
    files = []
    for i in range(count):
        files.append(os.path.join(directory, "%s-%d.sql" % (name, i)))
        with open(files[-1], "wb") as f:
            f.write(make(rng).encode(errors="surrogateescape"))
    return files


def corpus(shared):
    """Real migrations; a NUL ends a line for psql."""
    files = []
    for top in ("corpora/folders", "samples"):
        for path, _, names in os.walk(os.path.join(shared, top)):
            files += [os.path.join(path, n) for n in names if n.endswith(".sql")]
    return sorted(f for f in files if b"\0" not in open(f, "rb").read())


def main(psql, tool, shared):
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        sets = [
            ("soup", b"on", generate(directory, "soup", COUNT, soup)),
            ("variables", b"on", generate(
                directory, "variables", COUNT, variables)),
            ("odd bytes", b"on", generate(directory, "odd", COUNT, odd_bytes)),
            ("copies", b"on", generate(directory, "copies", COUNT, copies)),
            ("tokens", b"on", generate(
                directory, "tokens", COUNT, lambda r: tokens(r, b"on"))),
            ("tokens, off", b"off", generate(
                directory, "off", COUNT, lambda r: tokens(r, b"off"))),
            ("real ones", b"on", corpus(shared)),
        ]
        for what, strings, files in sets:
            if not files:
                print("%s: none here" % what)
                continue
            counts = compare(psql, tool, files, strings)
            print("%s: %d scripts, %d statements, %d not terminated, "
                  "%d differ" % (what, *counts))
            failed += counts[3]
    sys.exit(1 if failed else 0)


main(*sys.argv[1:])
