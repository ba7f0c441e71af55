# SPDX-License-Identifier: MIT
"""A network of one's own, that can be taken away: packets are lost without a
word, as behind a cable that is pulled.  Needs root."""
import ctypes
import fcntl
import socket
import struct
import threading

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


class Network:
    """To be made in a thread that is for it alone: whatever that thread
    starts, or listens at, is in there."""

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), 'no network of its own')
        self.control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.set(IFF_UP)
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=50)

    def set(self, flags):
        fcntl.ioctl(self.control, SIOCSIFFLAGS,
                    struct.pack('16sH14x', b'lo', flags))

    def down(self):
        self.set(0)

    def up(self):
        self.set(IFF_UP)

    def close(self):
        self.control.close()


def alone(function, *args):
    """Its value, from a thread that is thrown away."""
    box = {}

    def run():
        try:
            box['value'] = function(*args)
        except BaseException as e:  # pylint: disable=broad-except
            box['error'] = e
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if 'error' in box:
        raise box['error']
    return box['value']


def possible():
    """Why not, or None."""
    try:
        alone(Network).close()
        return None
    except OSError as e:
        return str(e)
