// SPDX-License-Identifier: MIT
// What PostgreSQL's own scanner and grammar, as libpg_query has them, make of
// texts that come one after the other (sql_by_pg_query.py): each begins with a line
// that says how many bytes it has.  The answer is a line of JSON.
//
//   node pg_query.cjs FOLDER   where libpg-query is installed
'use strict';
const path = require('node:path');
const query = require(path.join(process.argv[2], 'node_modules', 'libpg-query'));

// Where statements stand, or why they cannot be told.
function parse(text) {
  try {
    const { stmts } = query.parseSync(text);
    return { statements: (stmts ?? []).map(
      (s) => [s.stmt_location ?? 0, s.stmt_len ?? 0]) };
  } catch (e) {
    return { refused: String(e.message) };
  }
}

// What is no JSON is the scanner's own message.
function scan(text) {
  try {
    const { tokens } = query.scanSync(text);
    return { tokens: tokens.map((t) => [t.start, t.end, t.tokenName]) };
  } catch (e) {
    return { failed: String(e.message) };
  }
}

let rest = Buffer.alloc(0);

function take(chunk) {
  rest = Buffer.concat([rest, chunk]);
  for (;;) {
    const end = rest.indexOf(10);
    const n = end < 0 ? 0 : Number(rest.subarray(0, end));
    if (end < 0 || rest.length < end + 1 + n)
      return;
    const text = rest.subarray(end + 1, end + 1 + n).toString();
    rest = rest.subarray(end + 1 + n);
    process.stdout.write(JSON.stringify({ ...scan(text), ...parse(text) }) +
                         '\n');
  }
}

query.loadModule().then(() => process.stdin.on('data', take));
