"""Checksums, hashes, generators: unsigned integers."""

import numpy as np

from tests.corpus.sizes import of


def crc16(message, polynomial=0x1021):
    """CRC-16/CCITT, the most significant bit first"""
    register = 0xFFFF
    for byte in message:
        register ^= int(byte) << 8
        for bit in range(8):
            if register & 0x8000:
                register = ((register << 1) ^ polynomial) & 0xFFFF
            else:
                register = (register << 1) & 0xFFFF
    return register


def crc16_args(size, rng):
    return (rng.integers(0, 256, of(size, 20, 300, 3000)).astype(np.uint8),)


def xorshift32(state, n):
    out = np.empty(n, dtype=np.uint32)
    x = state
    for i in range(n):
        x ^= (x << 13) & 0xFFFFFFFF
        x ^= x >> 17
        x ^= (x << 5) & 0xFFFFFFFF
        out[i] = x
    return out


def xorshift32_args(size, rng):
    return int(rng.integers(1, 2**31)), of(size, 20, 300, 3000)


def fnv1a(data):
    h = np.uint64(14695981039346656037)
    prime = np.uint64(1099511628211)
    with np.errstate(over='ignore'):
        for byte in data:
            h = h ^ np.uint64(byte)
            h = h*prime
    return h


def fnv1a_args(size, rng):
    return (rng.integers(0, 256, of(size, 20, 300, 3000)).astype(np.uint8),)


def popcount(v):
    v = v - ((v >> 1) & 0x55555555)
    v = (v & 0x33333333) + ((v >> 2) & 0x33333333)
    v = (v + (v >> 4)) & 0x0F0F0F0F
    return (v*0x01010101 & 0xFFFFFFFF) >> 24


def popcount_args(size, rng):
    return (rng.integers(0, 2**31, of(size, 20, 300, 3000)),)


def popcount_u32(v):
    v = v - ((v >> np.uint32(1)) & np.uint32(0x55555555))
    v = (v & np.uint32(0x33333333)) + ((v >> np.uint32(2)) & np.uint32(0x33333333))
    v = (v + (v >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
    return (v*np.uint32(0x01010101)) >> np.uint32(24)


def popcount_u32_args(size, rng):
    return (rng.integers(0, 2**32, of(size, 20, 300, 3000), dtype=np.uint32),)


def gray_code(n):
    i = np.arange(2**n)
    return i ^ (i >> 1)


def gray_code_args(size, rng):
    return (of(size, 4, 8, 14),)


def lcg_floats(seed, n):
    a, c, m = 1103515245, 12345, 2**31
    out = np.zeros(n)
    s = seed
    for i in range(n):
        s = (a*s + c) % m
        out[i] = s/m
    return out


def lcg_floats_args(size, rng):
    return int(rng.integers(1, 1000)), of(size, 20, 300, 3000)


def morton_encode(x, y):
    code = np.zeros_like(x)
    for b in range(10):
        code |= ((x >> b) & 1) << (2*b)
        code |= ((y >> b) & 1) << (2*b + 1)
    return code


def morton_encode_args(size, rng):
    n = of(size, 20, 300, 30_000)
    return rng.integers(0, 1024, n).astype(np.int32), rng.integers(0, 1024, n).astype(np.int32)


def hamming_parity(words):
    p = words.copy()
    for shift in [16, 8, 4, 2, 1]:
        p = p ^ (p >> shift)
    return (p & 1).astype(bool)


def hamming_parity_args(size, rng):
    return (rng.integers(0, 2**31, of(size, 20, 300, 30_000), dtype=np.int64),)


def popcounts(x):
    out = np.zeros(len(x), dtype=np.int64)
    for i in range(len(x)):
        out[i] = bin(x[i]).count("1")
    return out


def popcounts_args(size, rng):
    return (rng.integers(0, 1000, of(size, 12, 100, 2000)),)


def hamming_pairs(codes):
    total = 0
    n = len(codes)
    for i in range(n):
        for j in range(i+1, n):
            total += bin(int(codes[i]) ^ int(codes[j])).count("1")
    return 2*total/(n*(n-1))


def hamming_pairs_args(size, rng):
    return (rng.integers(0, 1000, of(size, 12, 50, 200)),)
