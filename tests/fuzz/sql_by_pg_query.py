# SPDX-License-Identifier: MIT
"""The splitter against PostgreSQL's own scanner and grammar.

libpg_query has them as WebAssembly; npm's libpg-query brings it, and without
it (PG_QUERY_HOME says where) this is skipped.  Texts are made at random, and of
those in the corpus; COUNT says how many of each kind, SEED which.

- Where the scanner takes a text, its tokens are ours; where it finds something
  unterminated, so do we; what else it refuses (123abc) the splitter takes.
- Where the grammar takes it, its statements are ours, byte for byte.

For the server a string goes on in the next line also behind a comment; for
libpg_query, whose comments are tokens, it does not.  Such texts are left out:
psql is asked about them (split_by_psql.py).  So are those with something stuck
to a parameter ($1x), which servers since 15 refuse, and libpg_query takes.
"""
import bisect
import glob
import json
import os
import random
import re
import subprocess
import sys

from sql_maker import Maker

HERE = os.path.dirname(os.path.abspath(__file__))
SHOWN = 20
WORD, NAME, STRING, NUMBER, SYMBOL = range(5)


class Peer:
    """A process that answers one text after the other."""

    def __init__(self, args):
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, head, data):
        self.process.stdin.write(head + b'\n' + data)
        self.process.stdin.flush()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit('%s ended' % self.process.args[0])
        return line


class Ours(Peer):
    def cut(self, data, flags=b'-'):
        """Statements, tokens, and the problem of each, or None."""
        self.ask(b'%s %d' % (flags, len(data)), data)
        statements, tokens, problem, unread = [], [], None, None
        while (line := self.line()) != b'.\n':
            words = line.split()
            if words[0] == b'S':
                statements.append(tuple(map(int, words[1:3])))
            elif words[0] == b'T':
                tokens.append(tuple(map(int, words[1:4])))
            elif words[0] == b'P':
                problem = line
            else:
                unread = line
        return statements, tokens, problem, unread


class Theirs(Peer):
    def read(self, data):
        self.ask(b'%d' % len(data), data)
        return json.loads(self.line())


# ---- tokens, as both can say them

def kind_of(text):
    if text[-1:] == b"'" or (text[:1] == b'$' and text[-1:] == b'$' and
                             len(text) > 1):
        return STRING
    if text[-1:] == b'"':
        return NAME
    if text[:1].isalpha() or text[:1] == b'_' or text[0] >= 0x80:
        return WORD
    return SYMBOL


def of_theirs(data, tokens):
    """Numbers and operators are only bytes, as they are cut in other ways."""
    found, rest = [], set()
    for start, end, name in tokens:
        if name in ('SQL_COMMENT', 'C_COMMENT'):
            continue
        kind = kind_of(data[start:end])
        if kind == SYMBOL:
            rest.update(range(start, end))
        else:
            found.append((kind, start, end))
    return found, rest


def of_ours(data, tokens):
    found, rest = [], set()
    for kind, start, end in tokens:
        if kind in (NUMBER, SYMBOL):
            rest.update(range(start, end))
        elif kind == STRING and data[start:start + 1] in b'nN':
            found += [(WORD, start, start + 1), (STRING, start + 1, end)]
        else:
            found.append((kind, start, end))
    return found, rest


def differ_in_tokens(data, tokens, ours):
    for what, their, our in zip(('tokens', 'the rest'),
                                of_theirs(data, tokens), of_ours(data, ours)):
        if their != our:
            return '%s\n  theirs: %r\n  ours:   %r' % (what, their, our)
    return None


# ---- statements

def differ_in_statements(data, statements, ours, comments):
    """Theirs begin and end with blanks and comments, ours do not."""
    def skip(at, end):
        while at < end:
            if data[at] in b' \t\n\r\f\v':
                at += 1
            elif (i := bisect.bisect_left(comments, (at,))) < len(comments) \
                    and comments[i][0] == at:
                at = comments[i][1]
            else:
                break
        return at

    want = []
    for start, n in statements:
        end = start + n if n else len(data)
        want.append((skip(start, end), end))
    # an empty one between two semicolons is none
    if len(want) != len(ours):
        return '%d statements, ours are %d: %r %r' % (len(want), len(ours),
                                                      want, ours)
    for (start, end), (our_start, our_end) in zip(want, ours):
        if start != our_start or our_end > end or skip(our_end, end) not in (
                end, end - 1):
            return 'statement at %d to %d, ours %d to %d' % (
                start, end, our_start, our_end)
    return None


def has_bare_end(data, tokens):
    """SELECT 1 END: a column's name.  In a body it is taken for the end of
    something, as psql does: only a parser could tell."""
    cases, before = 0, b''
    for start, end, name in tokens:
        if name in ('SQL_COMMENT', 'C_COMMENT'):
            continue
        word = data[start:end].lower()
        if word == b'case' and before not in (b'.', b'as'):
            cases += 1
        elif word == b'end' and before not in (b'.', b'as', b';', b'atomic'):
            if cases == 0:
                return True
            cases -= 1
        before = word
    return False


def difference(data, answer, cut):
    statements, tokens, problem, unread = cut
    failed = answer.get('failed')
    if failed:
        if 'unterminat' in failed and not unread:
            return 'unterminated, ours is not'
        return None
    if unread:
        return 'ours is unterminated: %r' % unread
    what = differ_in_tokens(data, answer['tokens'], tokens)
    if what or 'refused' in answer or has_bare_end(data, answer['tokens']):
        return what
    if problem:
        return 'ours has a problem: %r' % problem
    comments = [(s, e) for s, e, name in answer['tokens']
                if name in ('SQL_COMMENT', 'C_COMMENT')]
    return differ_in_statements(data, answer['statements'], statements, comments)


BLANK = rb'(?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'
LEFT_OUT = re.compile(
    rb"'" + BLANK + rb'--[^\n\r]*[\n\r]' + BLANK + rb"'" +
    rb'|\$\d+[A-Za-z_\x80-\xff]|(?i:standard_conforming)')


# ---- texts

def corpus(folder):
    """What was of interest to the fuzzers, as far as it is text."""
    texts = []
    for path in sorted(glob.glob(os.path.join(folder, '*', '*'))):
        if os.path.basename(os.path.dirname(path)) in ('sql', 'window', 'reader'):
            with open(path, 'rb') as f:
                data = f.read()[1:]
            text = data.decode(errors='ignore').replace('\0', ' ')
            if text and len(text) < 2000:
                texts.append(text)
    return texts


def kinds(maker, texts):
    """Name and maker of each kind of text."""
    some = lambda: maker.one(texts) if texts else maker.script()
    return (
        ('scripts', maker.script),
        ('tokens', maker.pieces),
        ('mutated scripts', lambda: maker.mutated(maker.script(),
                                                  maker.script())),
        ('mutated tokens', lambda: maker.mutated(maker.pieces(), some())),
        ('mutated corpus', lambda: maker.mutated(some(), maker.pieces())),
    )


def run(ours, theirs, make, count):
    """How many were scanned, parsed, unterminated, and differ."""
    scanned = parsed = open_end = differ = 0
    for _ in range(count):
        data = make().encode()
        if LEFT_OUT.search(data):
            continue
        answer = theirs.read(data)
        what = difference(data, answer, ours.cut(data))
        scanned += 'tokens' in answer
        parsed += 'statements' in answer
        open_end += 'unterminat' in answer.get('failed', '')
        if what:
            differ += 1
            if differ <= SHOWN:
                print('DIFFERS %r\n  %s' % (data, what), flush=True)
    return scanned, parsed, open_end, differ


def main(cutter, home, folder):
    count = int(os.environ.get('COUNT') or 2000)
    seed = os.environ.get('SEED') or '1'
    ours = Ours([cutter])
    theirs = Theirs(['node', os.path.join(HERE, 'pg_query.cjs'), home])
    texts, failed, sound = corpus(folder), 0, 0
    for name, make in kinds(Maker(random.Random(seed)), texts):
        *counts, differ = run(ours, theirs, make, count)
        print('%s: %d of %d scanned, %d parsed, %d unterminated, %d differ' %
              (name, counts[0], count, counts[1], counts[2], differ), flush=True)
        failed += differ > 0
        sound += differ == 0
    print('%d passed, %d failed' % (sound, failed))
    return 1 if failed else 0


sys.dont_write_bytecode = True
sys.exit(main(*sys.argv[1:]))
