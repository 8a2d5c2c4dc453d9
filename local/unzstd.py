"""Decompresses a file of several zstd frames with the reference library: unzstd.py <packed> <plain>."""
import sys

import zstandard

with open(sys.argv[1], "rb") as packed, open(sys.argv[2], "wb") as plain:
    reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
    while block := reader.read(1 << 20):
        plain.write(block)
