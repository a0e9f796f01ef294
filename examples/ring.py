# SPDX-License-Identifier: LGPL-2.1-or-later
"""ring FILE send SOURCE, ring FILE receive: text from one process to another through a ring in a file, that nobody else waits for.

Two positions that only grow: how much was sent, how much received. Then the ring. A NUL ends the text.
"""

import sys

import gi

gi.require_version('Mmio', '1.0')
from gi.repository import Mmio

START = 64
CAPACITY = 4096
SENT = 0
RECEIVED = 1


def send(file, positions, data):
    while data:
        sent, received = positions.load(SENT), positions.load(RECEIVED)
        at = sent % CAPACITY
        n = min(len(data), CAPACITY - (sent - received) % 2**32, CAPACITY - at)
        if n == 0:
            positions.wait(RECEIVED, received)
            continue
        file.write(START + at, data[:n])
        positions.store(SENT, (sent + n) % 2**32)
        positions.wake(SENT)
        data = data[n:]


def receive(file, positions):
    while True:
        sent, received = positions.load(SENT), positions.load(RECEIVED)
        at = received % CAPACITY
        n = min((sent - received) % 2**32, CAPACITY - at)
        if n == 0:
            positions.wait(SENT, sent)
            continue
        data = file.read(START + at, n)
        positions.store(RECEIVED, (received + n) % 2**32)
        positions.wake(RECEIVED)
        yield data.rstrip(b'\0')
        if data.endswith(b'\0'):
            return


with Mmio.File.open_or_create(sys.argv[1], START + CAPACITY) as ring, ring.get_atomic_u32(0, 2) as both:
    if sys.argv[2] == 'send':
        with open(sys.argv[3], 'rb') as source:
            send(ring, both, source.read() + b'\0')
    else:
        for text in receive(ring, both):
            sys.stdout.buffer.write(text)
