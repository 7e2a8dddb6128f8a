#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A DHCP server that says what it is told to, however wrong that is.

dhcp_hostile.py INTERFACE [--address A] [--server A] [--nak] [--silent TYPE] [--mac MAC]
                [OPTION=TEXT | OPTION:HEX | -OPTION]...

Offers --address to everyone and acknowledges every request; with --nak it refuses every request.
OPTION (a number) is put in place of the default's value, or added; -OPTION leaves it out. Options
longer than 255 bytes are split (RFC 3396), so that 2000 bytes can be tried. TEXT may have Python's
escapes (\\n, \\x00). Prints a line for each packet that it gets: "DISCOVER 02:42:...".

The packets go out of a packet socket, to the MAC of the client: the address may be any.
"""

import argparse
import codecs
import socket
import struct
import sys

MAGIC = b"\x63\x82\x53\x63"
NAMES = {1: "DISCOVER", 2: "OFFER", 3: "REQUEST", 4: "DECLINE", 5: "ACK", 6: "NAK", 7: "RELEASE",
         8: "INFORM"}
OFFER, ACK, NAK = 2, 5, 6


def options_read(data):
    """The options of a packet that a client sent, by number."""
    options, i = {}, 0
    while i + 1 < len(data) and data[i] != 255:
        if data[i] == 0:
            i += 1
            continue
        options[data[i]] = data[i + 2:i + 2 + data[i + 1]]
        i += 2 + data[i + 1]
    return options


def option_write(number, value):
    """One option; several with the same number when it is too long for one."""
    parts = [value[i:i + 255] for i in range(0, len(value), 255)] or [b""]
    return b"".join(bytes([number, len(part)]) + part for part in parts)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def datagram(source, destination, payload):
    """An IPv4 packet from port 67 to port 68; the UDP checksum is left out, which 0 says."""
    udp = struct.pack("!HHHH", 67, 68, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0x10, 20 + len(udp), 0, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(destination))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


def arguments_read(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("interface")
    parser.add_argument("--address", default="10.0.0.66")
    parser.add_argument("--server", default="10.0.0.1")
    parser.add_argument("--nak", action="store_true")
    parser.add_argument("--silent", action="append", default=[], choices=list(NAMES.values()))
    parser.add_argument("--mac", default="", help="answer nobody else")
    arguments, rest = parser.parse_known_args(words)
    arguments.options = {1: b"\xff\xff\xff\x00", 3: socket.inet_aton(arguments.server),
                         51: struct.pack("!I", 3600), 54: socket.inet_aton(arguments.server)}
    for word in rest:
        option_set(arguments.options, word)
    return arguments


def option_set(options, word):
    if word.startswith("-"):
        del options[int(word[1:])]
    elif "=" in word.split(":")[0]:
        number, text = word.split("=", 1)
        options[int(number)] = codecs.escape_decode(text.encode())[0]
    else:
        number, digits = word.split(":", 1)
        options[int(number)] = bytes.fromhex(digits)


def reply_write(request, kind, arguments):
    options = dict(arguments.options) if kind != NAK else {54: arguments.options[54]}
    address = arguments.address if kind != NAK else "0.0.0.0"
    body = struct.pack("!BBBB4sHH4s4s4s4s16s", 2, 1, 6, 0, request[4:8], 0, 0, bytes(4),
                       socket.inet_aton(address), bytes(4), bytes(4), request[28:44])
    body += bytes(64 + 128) + MAGIC + option_write(53, bytes([kind]))
    body += b"".join(option_write(number, value) for number, value in options.items()) + b"\xff"
    return body.ljust(300, b"\x00")


def answer(wire, request, arguments):
    kind = options_read(request[240:]).get(53, b"\0")[0]
    mac = ":".join("%02x" % byte for byte in request[28:34])
    name = NAMES.get(kind, str(kind))
    print(name, mac, flush=True)
    if name in arguments.silent or arguments.mac not in ("", mac):
        return
    if name == "DISCOVER":
        reply = reply_write(request, OFFER, arguments)
    elif name == "REQUEST":
        reply = reply_write(request, NAK if arguments.nak else ACK, arguments)
    else:
        return
    # A refused client has no address that it could be sent to.
    wire.sendto(datagram(arguments.server, "255.255.255.255", reply),
                (arguments.interface, 0x0800, 0, 0, request[28:34]))


def main():
    arguments = arguments_read(sys.argv[1:])
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    wire.bind((arguments.interface, 0x0800))
    # Nothing is read from it: without it the kernel says "port unreachable" to a renewal.
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.bind(("", 67))
    print("READY", flush=True)
    while True:
        packet, source = wire.recvfrom(65535)
        head = (packet[0] & 15) * 4
        udp = packet[head:]
        if source[2] == socket.PACKET_OUTGOING or packet[9] != 17 or udp[2:4] != b"\x00\x43":
            continue
        if len(udp) >= 8 + 240 and udp[8] == 1 and udp[8 + 236:8 + 240] == MAGIC:
            answer(wire, udp[8:], arguments)


main()
