"""Bytes as networks deliver them."""

from hypothesis import strategies as st

KUBECTL = bytes.fromhex(
    "800300010000002900000001000000000000"
    "78f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff"
    "800300010000001700000003000000000000c22e555c92929907000000ffff"
    "800300010000001900000005000000000000c22ac5565c92925f5a02000000ffff"
    "000000030000000368690a0000000301000000800300060000000400000001"
)
"""What the API server 1.36 sent for `echo hi | kubectl exec -i`."""


def in_pieces(whole: bytes, data: st.DataObject) -> list[bytes]:
    """The same, cut anywhere."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12), label="cuts"))
    return [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
