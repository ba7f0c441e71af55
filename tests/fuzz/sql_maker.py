# SPDX-License-Identifier: MIT
"""Random SQL for sql_by_pg_query.py: statements that PostgreSQL takes, pieces that
mean something to its scanner, and what comes of both by mutation."""

NAMES = ['a', 'b1', '_x', 'a$b', 'caf\u00e9', '"x;y"', '"q""r"', '"--"', '"/*"',
         'U&"d\\0061t"', 'u&"!0061" uescape \'!\'', '"begin"', '"end"', '"$$"',
         'atomic', 'a.b', 'a."c;"', '"\u9078\u629e"', "\"it's\"", '"\\"']
NUMBERS = ['1', '1.5', '.5', '1.', '1e5', '1E-5', '0x1F', '0b10', '0o17',
           '1_000', '$1', '1.5e+3']
BLANKS = [' ', ' ', ' ', ' ', '\n', '\t', '\r\n', '\f', '  ', '\n\n', '\v']
INSIDE = ['a', ';', '$$', '--', '/*', '*/', '(', ')', '"', ' begin ', "''",
          '\n', '\u00e9', 'end', '$a$', '\r']
TAGS = ['$$', '$a$', '$_b1$', '$\u00e9$', '$A$', '$begin$']
TYPES = ['int', 'text', 'pg_catalog.int4', 'numeric(10, 2)', 'text[]',
         'double precision', '"char"']
OPERATORS = ['+', '-', '*', '/', '||', '<>', '<=', '=', '->', '->>', '@>',
             '<->', '~*', '!~', '&&', '#-', '^@', '%']


class Maker:
    """One text after another; the same for the same random numbers."""

    def __init__(self, rng):
        self.rng = rng

    def one(self, choices):
        return self.rng.choice(choices)

    def often(self, chance):
        return self.rng.random() < chance

    # ---- blanks and tokens

    def comment(self, depth=0):
        inside = [self.one(INSIDE + ['*', '/']) for _ in
                  range(self.rng.randrange(4))]
        inside = [' ' if x in ('/*', '*/') else x + ' ' for x in inside]
        if depth < 6 and self.often(0.3):
            inside.append(self.comment(depth + 1))
        return '/*' + ' '.join(inside) + '*/'

    def gap(self):
        """What may stand between two words."""
        parts = [self.one(BLANKS)]
        if self.often(0.08):
            parts.append(self.comment())
        if self.often(0.05):
            parts.append('--' + self.one([';', "'", '"', '$$', '/*', 'x', ''])
                         + self.one(['\n', '\r', '\r\n']))
        return ''.join(parts)

    def words(self, *words):
        return ''.join(w + self.gap() for w in words)

    def quoted(self, inside):
        return "'" + ''.join(self.one(inside) for _ in
                             range(self.rng.randrange(5))) + "'"

    def continued(self, first, inside):
        """A string may go on behind a line end."""
        parts = [first]
        while self.often(0.15):
            parts.append(self.one(['\n', ' \n\t', '\r', '\r\n\f', ' \v\n']))
            parts.append(self.quoted(inside))
        return ''.join(parts)

    def string(self):
        kind = self.rng.randrange(8)
        escaped = INSIDE + ["\\'", '\\\\', '\\n', '\\x41', '\\u0041', "\\';"]
        if kind < 3:
            return self.continued(self.quoted(INSIDE + ['\\']), INSIDE + ['\\'])
        if kind < 5:
            return self.continued(self.one('eE') + self.quoted(escaped), escaped)
        if kind == 5:
            return self.one(["U&'d\\0061t'", "u&'\\+000061;'", "U&'a;'",
                             "U&'!0061' UESCAPE '!'", "U&'x\\\\'"])
        if kind == 6:
            return self.one(["B'01'", "x'1f'", "N'a;b'", "n'it''s'", "X''"])
        tag = self.one(TAGS)
        inside = [x for x in INSIDE + ['\\', '$', '$1$', '$c$ ', ' $x']
                  if tag[:-1] not in x]
        return tag + ' '.join(self.one(inside) for _ in
                              range(self.rng.randrange(6))) + ' ' + tag

    # ---- what PostgreSQL takes

    def value(self, depth=0):
        kind = self.rng.randrange(10)
        if kind < 4 or depth > 3:
            return self.one([self.string(), self.one(NUMBERS), 'null'])
        if kind == 4:
            return self.one(NAMES)
        if kind == 5:
            return '(' + self.value(depth + 1) + ')'
        if kind == 6:
            return self.words('case', 'when', 'true', 'then',
                              self.value(depth + 1)) + 'end'
        if kind == 7:
            return 'f(' + self.value(depth + 1) + ', ' + self.value(depth + 1) + ')'
        if kind == 8:
            return ('(' + self.value(depth + 1) + ')::' + self.one(TYPES))
        return (self.value(depth + 1) + self.gap() + self.one(OPERATORS) +
                self.gap() + self.value(depth + 1))

    def select(self):
        items = ', '.join(
            self.value() + (self.gap() + 'as' + self.gap() +
                            self.one(NAMES[:4] + ['"end"', 'end', 'begin', 'case',
                                                  'atomic'])
                            if self.often(0.2) else '')
            for _ in range(self.rng.randrange(1, 3)))
        return self.words('select') + items

    def body(self):
        """BEGIN ATOMIC ... END, with what could be taken for its end."""
        parts = [self.words('begin') + self.words('atomic')]
        for _ in range(self.rng.randrange(4)):
            parts.append(self.one([self.select(), 'insert into t values (1)',
                                   'return 1', 'select case x when 1 then case '
                                   'when y then 2 end end',
                                   'select t.end, x.begin, x.case']) + ';')
        return ' '.join(parts) + self.gap() + 'end'

    def function(self):
        head = self.words('create', *self.one([[], ['or', 'replace']]))
        routine = self.one(['function', 'procedure'])
        args = self.one(['', 'a int', 'a int, b text default ' + self.string()])
        out = head + self.words(routine, 'f(' + args + ')')
        if routine == 'function':
            out += self.words('returns', self.one(TYPES))
        out += self.words('language', 'sql')
        return out + self.one([self.body(), 'as ' + self.string(),
                               self.body(), 'begin atomic end'])

    def statement(self):
        name = self.one(NAMES[:12])
        return self.one([
            self.select, self.select, self.function, self.function,
            lambda: 'do ' + self.string(),
            lambda: 'create table ' + name + '(a int default ' + self.value() + ')',
            lambda: 'create rule r as on insert to t do also (' + self.select() +
            '; ' + self.select() + ')',
            lambda: 'create schema ' + name + ' create table t(a int)',
            lambda: 'comment on table t is ' + self.one(["'a;b'", 'null']),
            lambda: 'alter type t add value ' + self.one(["'x'", "E'\\\\;'"]),
            lambda: 'begin', lambda: 'end', lambda: 'commit and chain',
            lambda: 'select 1 as begin, 2 as atomic, 3 as case',
            lambda: 'create view v as ' + self.select(),
            lambda: 'create trigger t before update on x for each row '
            'execute function f()',
            lambda: 'create procedure p() begin atomic ' + self.select() +
            '; end',
            lambda: 'insert into t values (' + self.value() + ')',
            lambda: 'copy t from stdin', lambda: '',
        ])()

    def script(self):
        parts = []
        for _ in range(self.rng.randrange(1, 6)):
            parts += [self.gap(), self.statement(), self.one(['', '', ' ', '\n']),
                      ';']
        if self.often(0.3):
            parts.pop()
        return ''.join(parts) + self.gap()

    # ---- what it need not take

    def pieces(self):
        """Whole tokens in any order, stuck together now and then."""
        pieces = [
            self.string, self.comment, lambda: self.one(NAMES),
            lambda: self.one(NUMBERS), lambda: self.one(OPERATORS),
            lambda: self.one(['(', ')', ';', ';', '[', ']', ',', '.', ':', '::',
                              ':=', '..', '=>', '\\']),
            lambda: self.one(['begin', 'atomic', 'end', 'case', 'create', 'or',
                              'replace', 'function', 'procedure', 'as']),
            lambda: '-- ' + self.one(INSIDE) + '\n',
        ]
        return ''.join(self.one(pieces)() +
                       (self.gap() if self.often(0.8) else '')
                       for _ in range(self.rng.randrange(1, 25)))

    def mutated(self, text, other):
        """A few things less, more, twice, or from elsewhere."""
        marks = ["'", '"', '$', '$$', '$a$', '--', '/*', '*/', ';', '\\', '(',
                 ')', '\n', 'E', 'U&', 'begin atomic', ' end', "''", '\r', 'e\'',
                 '\u00e9', '/', '*', '-', ' ', '\x0b', '\x7f', '\u2028']
        for _ in range(self.rng.randrange(1, 4)):
            at = self.rng.randrange(len(text) + 1)
            n = self.rng.randrange(1, 6)
            kind = self.rng.randrange(4)
            if kind == 0:
                text = text[:at] + text[at + n:]
            elif kind == 1:
                text = text[:at] + self.one(marks) + text[at:]
            elif kind == 2:
                text = text[:at] + text[at:at + 4 * n] * 2 + text[at + 4 * n:]
            else:
                start = self.rng.randrange(len(other) + 1)
                text = text[:at] + other[start:start + 8 * n] + text[at:]
        return text
