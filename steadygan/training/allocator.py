"""Keeping freed memory in the process: large tensors then reuse warm pages instead of faulting in new ones."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
_LARGEST_MMAP_THRESHOLD = 32 * 2**20
_NEVER_TRIM = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell the C library's allocator to keep what is freed; False where it is not glibc's.

    By default it returns the memory of every large activation to the system and asks for it again in the next
    layer, page by page: thousands of page faults a step. Only time changes, no number does; the process keeps its
    peak memory until it ends. For the whole process, so only for one that does nothing but train.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    mallopt.argtypes, mallopt.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    settings = ((_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD), (_M_TRIM_THRESHOLD, _NEVER_TRIM))
    return all(mallopt(name, value) == 1 for name, value in settings)
