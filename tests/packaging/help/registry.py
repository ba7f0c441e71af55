# SPDX-License-Identifier: MIT
"""A registry for npm on the loopback, with the tarballs of a directory."""
import base64
import hashlib
import http.server
import json
import os
import tarfile
import threading
import urllib.parse


def described(path, base):
    """A version of a package, as a registry describes it."""
    with open(path, 'rb') as f:
        content = f.read()
    with tarfile.open(path) as tar:
        manifest = json.load(tar.extractfile('package/package.json'))
    manifest['dist'] = {
        'tarball': '%s/-/%s' % (base, os.path.basename(path)),
        'shasum': hashlib.sha1(content).hexdigest(),
        'integrity': 'sha512-' + base64.b64encode(
            hashlib.sha512(content).digest()).decode(),
    }
    return manifest


class Registry:
    """Serves until the program ends; `asked` is what was asked for."""

    def __init__(self, directory):
        self.directory, self.asked = directory, []
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                registry.answer(self)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        server.daemon_threads = True
        self.url = 'http://127.0.0.1:%d' % server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(self, request):
        name = urllib.parse.unquote(request.path.split('?')[0].lstrip('/'))
        self.asked.append(name)
        if name.startswith('-/'):
            path = os.path.join(self.directory, os.path.basename(name))
            if os.path.exists(path):
                with open(path, 'rb') as f:
                    return self.send(request, 200, f.read(),
                                     'application/octet-stream')
        versions = self.versions(name)
        if not versions:
            return self.send(request, 404, b'{"error":"Not found"}')
        return self.send(request, 200, json.dumps({
            'name': name, 'versions': versions,
            'dist-tags': {'latest': max(versions)}}).encode())

    def versions(self, name):
        found = [described(os.path.join(self.directory, file), self.url)
                 for file in os.listdir(self.directory)
                 if file.endswith('.tgz')]
        return {m['version']: m for m in found if m['name'] == name}

    @staticmethod
    def send(request, status, body, kind='application/json'):
        request.send_response(status)
        request.send_header('Content-Type', kind)
        request.send_header('Content-Length', str(len(body)))
        request.end_headers()
        request.wfile.write(body)
