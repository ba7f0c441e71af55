# SPDX-License-Identifier: MIT
"""Runs of `mizzle serve`: streams, clients at once, signals, crowds."""
import json
import os
import signal
import statistics
import sys
import time

from harness import (BREAK, LONG, Server, check, finish, journal,
                     needs_program, newdir, note, start, verdict, wait_for)
from misbehave import sanitized
from serveworld import (Broken, Serving, Wire, at_once, leaked, lines_of,
                        secure)

needs_program()
server = Server('autovacuum=off', 'max_connections=60')


def gated(count=3, extra=()):
    """The second migration waits for whoever holds the table `gate`."""
    server.fresh('r')
    server.sql('r', 'CREATE TABLE gate (id int)', 'CREATE TABLE log (n int)',
               'ALTER TABLE gate OWNER TO tester',
               'ALTER TABLE log OWNER TO tester')
    return journal(newdir('runs'), [
        ('%04d_m' % i, ('LOCK TABLE gate;\n' + BREAK + '\n' if i == 1 else '')
         + 'INSERT INTO log VALUES (%d);' % i) for i in range(count)
    ] + list(extra))


def hold():
    return server.hold('r', 'BEGIN', 'LOCK TABLE gate')


def waits():
    """The run is at its second migration."""
    return wait_for(lambda: server.sql(
        'postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname = "
        "'r' AND wait_event = 'relation' AND query LIKE 'LOCK TABLE gate%'")
        != '0')


def log():
    return server.sql('r', "SELECT string_agg(n::text, ' ' ORDER BY n) "
                      'FROM log')


def rows():
    return server.sql('r', 'SELECT count(*) FROM drizzle.'
                      '__drizzle_migrations')


def posting(s, body=None):
    """A POST whose answer nobody waits for yet."""
    wire = s.wire(timeout=120)
    wire.send(lines_of('POST', s.base, s.headers(None, None), body))
    return wire


# ---- streams

ORDER = ['run', 'start']


def stream_of_a_run():
    s = Serving(server, 'r', gated())
    s.get('status')
    holder = hold()
    run = s.stream('POST', '')
    check('a stream', (200, 'text/event-stream', 'no'), (
        run.status, run.headers.get('content-type'),
        run.headers.get('x-accel-buffering')))
    check('it waits', True, waits())
    check('the status at once', (200, 1, ['applied', 'pending', 'pending']), (
        s.get('status').status, s.running()['run'],
        [m['state'] for m in s.get('status').json()['migrations']]))
    got = s.get('status').json()['result']
    check('and its counts', (1, 2, True), (got['applied'], got['pending'],
                                           got['ok']))
    check('/readyz meanwhile', (503, 2), (
        s.get('/readyz').status, s.get('/readyz').json()['pending']))
    text = s.get('/metrics').data.decode()
    check('/metrics meanwhile', True, '\nmizzle_up 1\n' in text and
          '\nmizzle_run_in_progress 1\n' in text)
    got = s.post()
    check('a second POST', (409, False, 'locked', 1), (
        got.status, got.json()['ok'], got.code,
        (got.json().get('running') or {}).get('run')))
    second = s.stream('POST', '')
    check('a second one that streams joins', True, second.heard('run'))
    watcher = s.stream()
    check('whoever watches gets the run from its beginning', True,
          watcher.heard('migration') and watcher.kinds()[0] == 'run')
    check('who blocks is told', True, run.heard('blocked', seconds=90))
    blocked = run.data('blocked')[0]
    check('with its pid', (True, '0001_m'), (
        isinstance(blocked.get('pid'), int), blocked.get('tag')))
    holder.close()
    check('it ends behind its result', (True, True), (
        run.end(), second.end()))
    for what, one in (('the stream', run), ('who joined', second)):
        kinds = one.kinds()
        check(what + ': from run to result', ('run', 'result', 1), (
            kinds[0], kinds[-1], kinds.count('result')))
        check(what + ': each migration', ['0000_m', '0001_m', '0002_m'],
              [m['tag'] for m in one.data('migration')])
        check(what + ': the result', (True, 3, 0), tuple(
            one.data('result')[0][k] for k in ('ok', 'applied', 'pending')))
        check(what + ': an event is what its data says', [], [
            e for e in one.events if e[2].get('event') != e[1]])
        ids = [e[0] for e in one.events]
        check(what + ': numbers go up by one', list(range(
            ids[0], ids[0] + len(ids))), ids)
    check('both got the same', run.events, second.events)
    check('whoever watches goes on', True, watcher.heard('result'))
    check('and is not closed', False, watcher.ended)
    check('and had the same', run.events, watcher.events)

    at = run.events[2][0]
    for what, headers, path in (
            ('by header', {'Last-Event-ID': str(at)}, 'events'),
            ('by query', {}, 'events?last_event_id=%d' % at)):
        again = s.stream('GET', path, headers=headers)
        check('gone on %s' % what, True, again.heard('result'))
        check('gone on %s: with what follows' % what, run.events[3:],
              again.events)
        again.close()
    late = s.stream()
    ahead = s.stream('GET', 'events?last_event_id=999999')
    check('at the last one: nothing', [], s.stream(
        'GET', 'events?last_event_id=%d' % run.events[-1][0]).events)
    s.post()
    for what, one in (('without a number', late), ('one of elsewhere', ahead)):
        check(what + ': only what is new', True, one.heard('result'))
        check(what + ': from there on', run.events[-1][0] + 1,
              one.events[0][0])
    for bad in 'x', '-1', '1.5', '9' * 30, '0x10', ' ':
        got = s.get('events', headers={'Last-Event-ID': bad})
        if bad != ' ':
            check('no number: ' + bad, 400, got.status)
            secure('400', got)
        break
    head = s.ask('HEAD', 'events')
    check('HEAD of it', 405, head.status)
    s.signal()
    check('at the end every stream is closed properly', (True, True, True), (
        watcher.end(), late.end(), ahead.end()))
    check('exit', 0, s.wait().status)
    check('once', '0 1 2', log())


def beats():
    """A stream of which nothing is to be told stays open."""
    s = Serving(server, 'r', gated())
    stream = s.stream()
    check('a heartbeat', True, wait_for(lambda: stream.beats > 0, 40))
    if LONG:
        check('still there after a minute and more', True, wait_for(
            lambda: stream.beats > 6, 150))
    check('not closed', False, stream.ended)
    s.stop()


def failing_stream():
    s = Serving(server, 'r', gated(extra=[('0003_bad', '\n nonsense;')]))
    run = s.stream('POST', '')
    check('a failure: it ends', True, run.end())
    kinds = run.kinds()
    check('a failure: error, then result', ['error', 'result'], kinds[-2:])
    error = run.data('error')[0]
    check('a failure: the error', ('0003_bad', 2, 2, '42601', ' nonsense;'),
          tuple(error.get(k) for k in ('tag', 'line', 'column', 'sqlstate',
                                       'source')))
    got = s.stream('POST', '', {'to': 'none'})
    check('refused: told by the stream, too', True, got.end())
    check('refused: error', ['usage'], [e['code'] for e in got.data('error')])
    got = s.stream('POST', '', {'bad': 1})
    check('a bad body: no stream', 400, got.status)
    s.stop()


def gone():
    """A client that goes away does not stop the run."""
    for streamed in False, True:
        s = Serving(server, 'r', gated())
        holder = hold()
        if streamed:
            client = s.stream('POST', '')
            client.heard('run')
        else:
            client = posting(s)
        check('it runs', True, waits())
        client.close()
        time.sleep(0.2)
        check('it is still there', 1, s.running()['run'])
        holder.close()
        check('it goes on without its client', True, wait_for(
            lambda: not s.running()))
        check('to the end', '0 1 2', log())
        run = s.get('status').json()['runs'][0]
        check('and its end is known', (3, None), (run['result']['applied'],
                                                  run['error']))
        s.stop()


def many_leave():
    """Clients that close while their answer is made, and streams."""
    s = Serving(server, 'r', gated(30))
    s.post()
    s.get('status')
    before = s.descriptors()
    for i in range(100):
        wires = []
        for path in ('status', 'plan', 'sql?tag=0000_m', 'events'):
            w = s.wire()
            w.send(lines_of('GET', s.base + '/' + path))
            wires.append(w)
        w = s.wire()
        w.send(lines_of('POST', s.base, {'Accept': 'text/event-stream'}))
        if i % 3 == 0:
            w.head()
        for w in [*wires, w]:
            w.close()
    check('it is none the worse', 200, s.get('status').status)
    check('their connections are closed', True, wait_for(
        lambda: s.descriptors() <= before + 2)) or note(s.descriptors())
    check('and ran to their end', True, wait_for(lambda: not s.running()))
    s.stop()
    check('once', ' '.join(str(i) for i in range(30)), log())


# ---- at once

def posts_at_once():
    s = Serving(server, 'r', gated())
    holder = hold()

    def post(i):
        if i % 2:
            stream = s.stream('POST', '')
            stream.heard('run')
            return stream
        return s.post(timeout=120)
    import threading
    threading.Thread(target=lambda: (waits(), time.sleep(1), holder.close()),
                     daemon=True).start()
    results = at_once(20, post)
    answers = results[::2]
    streams = results[1::2]
    wrong = [r for r in results if isinstance(r, Exception)]
    check('20 at once: all are answered', [], wrong)
    statuses = [a.status for a in answers]
    check('20 at once: 200 or 409', True, set(statuses) <= {200, 409})
    check('20 at once: every stream ends', [True] * 10, [
        x.end() for x in streams])
    check('20 at once: with the same result', {3}, {
        x.data('result')[0]['applied'] for x in streams})
    check('20 at once: one run', [1], [r['run'] for r in s.get(
        'status').json()['runs']])
    check('20 at once: one at most was told so', True,
          statuses.count(200) <= 1)
    check('20 at once: applied once', ('0 1 2', '3'), (log(), rows()))
    s.stop()
    s = Serving(server, 'r', gated())
    holder = hold()
    threading.Thread(target=lambda: (waits(), time.sleep(0.5),
                                     holder.close()), daemon=True).start()
    results = at_once(20, lambda i: s.post(timeout=120))
    check('20 without streams: exactly one runs', (1, 19), (
        sum(r.status == 200 for r in results),
        sum(r.status == 409 for r in results)))
    check('20 without streams: applied once', '0 1 2', log())
    s.stop()


def two_and_a_cli():
    for round_ in range(3):
        where = gated(8)
        both = [Serving(server, 'r', where) for _ in range(2)]
        cli = []

        def act(i, both=both, where=where, cli=cli):
            if i == 8:
                cli.append(finish(start('migrate', '--url', server.url('r'),
                                        '--dir', where)))
                return None
            while True:
                got = both[i % 2].post(timeout=120)
                if got.status != 409:
                    return got
                time.sleep(0.05)
        results = at_once(9, act)
        check('two and a CLI, %d: all end well' % round_, ([200] * 8, 0), (
            [getattr(r, 'status', r) for r in results[:8]], cli[0].status))
        check('two and a CLI: applied once', ('0 1 2 3 4 5 6 7', '8'),
              (log(), rows()))
        for s in both:
            s.stop()


def crowd():
    """1,000 requests at once, while a migration runs."""
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    s = Serving(server, 'r', gated(50))
    s.get('status')
    idle = []
    with s.wire() as w:
        for _ in range(100):
            began = time.monotonic()
            w.send(lines_of('GET', s.base + '/status'))
            if w.answer().status != 200:
                break
            idle.append(time.monotonic() - began)
    check('idle', 100, len(idle))
    holder = hold()
    run = s.stream('POST', '')
    check('it runs', True, waits())
    request = lines_of('GET', s.base + '/status')
    wires = [s.wire() for _ in range(1000)]
    import selectors
    selector = selectors.DefaultSelector()
    times, statuses = [], []
    began = {}
    for w in wires:
        began[w] = time.monotonic()
        w.send(request)
        selector.register(w.sock, selectors.EVENT_READ, w)
    end = time.monotonic() + 120
    while selector.get_map() and time.monotonic() < end:
        for key, _ in selector.select(1):
            w = key.data
            try:
                answer = w.answer()
                statuses.append((answer.status, bool(answer.json()[
                    'running'])))
            except (Broken, OSError, KeyError) as e:
                statuses.append(e)
            times.append(time.monotonic() - began[w])
            selector.unregister(w.sock)
            w.close()
    check('1,000 at once while it runs: all are answered', (1000, {(200, True)}
                                                            ), (
        len(statuses), set(statuses)))
    holder.close()
    check('and the run ends', True, run.end())
    median = statistics.median(idle)
    p99 = sorted(times)[int(len(times) * 0.99) - 1]
    note('status: idle median %.2f ms; 1,000 at once: median %.0f ms, p99 '
         '%.0f ms' % (median * 1000, statistics.median(times) * 1000,
                      p99 * 1000))
    holder = None
    s.stop()
    # A load that goes on: eight clients, one request after the other.
    s = Serving(server, 'r', gated(50))
    s.get('status')
    holder = hold()
    run = s.stream('POST', '')
    waits()

    def client(_):
        mine = []
        with s.wire() as w:
            for _ in range(125):
                began = time.monotonic()
                w.send(request)
                assert w.answer().status == 200
                mine.append(time.monotonic() - began)
        return mine
    parts = at_once(8, client)
    bad = [p for p in parts if isinstance(p, BaseException)]
    check('eight clients: all are answered', [], bad)
    times = sorted(t for p in parts if p not in bad for t in p)
    p99 = times[int(len(times) * 0.99) - 1]
    note('status: eight clients while it runs: p99 %.2f ms, %.1f times the '
         'idle median' % (p99 * 1000, p99 / median))
    check('its p99 is in proportion', True, p99 / median <= 40)
    holder.close()
    run.end()
    s.stop()


# ---- the end

def ends():
    s = Serving(server, 'r', gated())
    began = time.monotonic()
    s.stop()
    check('SIGTERM while idle: at once', True, time.monotonic() - began < 10)
    for sig in signal.SIGINT, signal.SIGTERM:
        s = Serving(server, 'r', gated())
        holder = hold()
        run = s.stream('POST', '')
        wire = s.wire()         # one that waits for nothing
        check('it runs', True, waits())
        s.signal(sig)
        check('%s: it tells' % sig.name, True, wait_for(
            lambda: 'ending when this run is over' in s.log()))
        check('%s: nobody is let in' % sig.name, True, refused(s))
        check('%s: who waits for nothing is sent away' % sig.name, True,
              wire.closed())
        check('%s: the run goes on' % sig.name, None, s.process.poll())
        holder.close()
        check('%s: and ends' % sig.name, (True, 3), (
            run.end(), run.data('result')[0]['applied']))
        check('%s: then so does it' % sig.name, 0, s.wait().status)
        check('%s: all was applied' % sig.name, '0 1 2', log())


def refused(s):
    def tried():
        try:
            Wire(s.where).close()
            return False
        except OSError:
            return True
    return wait_for(tried)


def cancelled():
    for how in 'a second signal', '--shutdown-timeout':
        for mode in 'each', 'all':
            what = '%s, %s' % (how, mode)
            s = Serving(server, 'r', gated(), '--transaction', mode,
                        *(['--shutdown-timeout', '1s'] if how[0] == '-'
                          else []))
            holder = hold()
            run = s.stream('POST', '')
            other = posting(s)
            check(what + ': a second POST is refused', 409,
                  other.answer().status)
            check(what + ': it runs', True, waits())
            s.signal()
            if how[0] != '-':
                wait_for(lambda: 'ending when' in s.log())
                s.signal()
            check(what + ': the stream has the end', True, run.end())
            check(what + ': which is no success', (False, 1), (
                run.data('result')[0]['ok'], len(run.data('error'))))
            got = s.wait()
            check(what + ': exit', 143, got.status)
            check(what + ': says so', True,
                  'cancelled' in got.err) or note(got.err)
            holder.close()
            check(what + ': rolled back', '0' if mode == 'each' else '',
                  log())
            check(what + ': nobody is left', True, wait_for(
                lambda: server.sessions('r') == '0'))


def answers_before_it_ends():
    """A POST whose answer comes after SIGTERM gets it."""
    s = Serving(server, 'r', gated())
    holder = hold()
    wire = posting(s)
    check('it runs', True, waits())
    s.signal()
    wait_for(lambda: 'ending when' in s.log())
    holder.close()
    got = wire.answer()
    check('SIGTERM: the client gets its answer', (200, 3), (
        got.status, got.json().get('applied')))
    check('exit', 0, s.wait().status)


# ---- how much it holds

def memory():
    """After many requests it holds no more than after some."""
    s = Serving(server, 'r', gated(20))
    kinds = [lines_of('GET', p) for p in (
        s.base + '/status', '/healthz', '/nothing', s.base + '/plan',
        s.base + '/sql?tag=0000_m', '/metrics', '/readyz',
        s.base + '?page.js')] + [
            lines_of('POST', s.base, body={'dry_run': True}),
            lines_of('POST', s.base, body='{')]

    def some(n):
        def client(_):
            with s.wire() as w:
                for i in range(n // 4):
                    w.send(kinds[i % len(kinds)])
                    w.answer()
        wrong = [r for r in at_once(4, client) if r]
        check('all are answered', [], wrong)
        for _ in range(n // 100):
            s.post()
            with s.wire() as w:
                w.send(lines_of('GET', s.base + '/events'))
                w.head()
    start_ = s.memory()
    some(1000)
    first = s.memory()
    some(10000 if LONG else 3000)
    last = s.memory()
    note('memory: %d kB at first, %d kB after 1,000 requests, %d kB after '
         '%d more; at most %d kB' % (start_, first, last, 10000 if LONG else
                                     3000, s.memory('VmHWM')))
    if not sanitized():
        check('memory is bounded', True, last < first * 1.5 + 4096)
    s.stop()


def bundle():
    """The folder in the program."""
    where = gated()
    made = os.path.join(newdir('bundle'), 'app')
    got = finish(start('bundle', '-o', made, '--dir', where))
    check('a bundle', 0, got.status) or note(str(got))
    import harness
    program = harness.MIZZLE
    harness.MIZZLE = made
    try:
        s = Serving(server, 'r', None)
        check('a bundle: status', 3, s.get('status').json()['result'][
            'pending'])
        check('a bundle: sql', True, 'LOCK TABLE gate' in s.get(
            'sql?tag=0001_m').json()['text'])
        check('a bundle: it migrates', 3, s.post().json().get('applied'))
        check('a bundle: once', '0 1 2', log())
        s.stop()
    finally:
        harness.MIZZLE = program


def json_log():
    s = Serving(server, 'r', gated(), '--json')
    s.post()
    s.get('/a%0Ab%1b[31m%ff')
    s.get('status', headers={'X-Forwarded-For': '1.2.3.4'})
    got = s.stop()
    events = [json.loads(line) for line in got.out.splitlines()]
    check('--json: requests are lines', [
        ('POST', s.base, 200), ('GET', None, 404),
        ('GET', s.base + '/status', 200)], [
            (e['method'], e['path'] if '\n' not in e['path'] else None,
             e['status']) for e in events if e['event'] == 'request'])
    check('--json: with address and time', True, all(
        e['address'] == '127.0.0.1' and e['ms'] >= 0 for e in events
        if e['event'] == 'request'))
    s = Serving(server, 'r', gated())
    s.get('/a%0Ab%1b[31m%ff%c2%9b')
    s.get('/' + 'x' * 5000)
    got = s.stop()
    lines = [line for line in got.err.splitlines() if ' GET ' in line]
    check('a line a request', 2, len(lines)) or note(got.err)
    check('without control characters', [], [
        c for c in got.err if ord(c) < 32 and c != '\n' or
        127 <= ord(c) < 160])
    check('of some length at most', True, all(len(x) < 300 for x in lines))
    place = os.path.join(newdir('quiet'), 'socket')
    s = Serving(server, 'r', gated(), '-q', listen='unix:' + place,
                ready=False)
    s.where = place
    check('--quiet: it serves', True, wait_for(lambda: os.path.exists(place)))
    check('--quiet: it answers', True, wait_for(lambda: s.get(
        '/healthz').status == 200))
    check('--quiet', '', s.stop().err)


stream_of_a_run()
beats()
failing_stream()
gone()
many_leave()
posts_at_once()
two_and_a_cli()
crowd()
ends()
cancelled()
answers_before_it_ends()
memory()
bundle()
json_log()
check('no password in any answer or log', [], leaked(server.password,
                                                     'p%40ss'))
sys.exit(verdict())
