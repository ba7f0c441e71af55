# SPDX-License-Identifier: MIT
"""What stands between clients and a server on loopback."""
import socket
import threading


def hang_up(*sockets):
    for s in sockets:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Relay:
    """Has a thread for each way of each connection.

    What a session is says begin(client, server); copy(session, way, a, b), way
    'front' or 'back', runs in the thread.
    """

    def __init__(self, port, listener=None):
        self.target = port
        self.listener = listener or socket.create_server(('127.0.0.1', 0),
                                                         backlog=50)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.join(client)

    def join(self, client):
        server = socket.create_connection(('127.0.0.1', self.target))
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = self.begin(client, server)
        for way, a, b in (('front', client, server),
                          ('back', server, client)):
            threading.Thread(target=self.copy, daemon=True,
                             args=(session, way, a, b)).start()

    def close(self):
        hang_up(self.listener)  # or accept() would take one more
        self.listener.close()
