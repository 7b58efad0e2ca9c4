"""Packets that get lost: a socket takes none while a filter that lets nothing through is attached to it.

The kernel drops them before TCP sees them, so the other end finds out as it does on a real network: nothing is acknowledged, probes are not
answered, and what is sent again after the loss arrives. Needs no rights.
"""

from __future__ import annotations

import ctypes
import socket

from tests.absent import absent_service

_ATTACH, _DETACH = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER of Linux."""
_RETURN = 6
"""The instruction that ends a filter, with how many bytes of the packet are kept."""


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("if_true", ctypes.c_uint8), ("if_false", ctypes.c_uint8), ("operand", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction))]


_NOTHING = (_Instruction * 1)(_Instruction(_RETURN, 0, 0, 0))


def lose(end: socket.socket) -> None:
    """Every packet to `end` is lost from now on."""
    try:
        end.setsockopt(socket.SOL_SOCKET, _ATTACH, bytes(_Program(1, _NOTHING)))
    except OSError as error:
        absent_service("a system whose sockets take filters", f"run the tests on Linux ({error})")


def deliver(end: socket.socket) -> None:
    """Packets arrive again."""
    end.setsockopt(socket.SOL_SOCKET, _DETACH, 0)
