"""A page of plain text as a PDF (ISO 32000-1): five objects and where in the file each begins."""

from __future__ import annotations

from collections.abc import Sequence

PAGE = b"/MediaBox [0 0 595 842]"
"""A4, in points."""
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def one_page(lines: Sequence[str]) -> bytes:
    """Lines of ASCII text, the first as a heading."""
    text = _text(lines)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R " + PAGE + b" /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        FONT,
    ]
    return _file(objects)


def _text(lines: Sequence[str]) -> bytes:
    heading, *rest = map(_string, lines)
    shown = [b"/F1 20 Tf 72 760 Td %s Tj /F1 11 Tf 0 -12 Td" % heading]
    shown += [b"0 -18 Td %s Tj" % line for line in rest]
    return b"BT\n" + b"\n".join(shown) + b"\nET"


def _string(text: str) -> bytes:
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"({escaped})".encode("ascii", "replace")


def _file(objects: Sequence[bytes]) -> bytes:
    content, starts = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        starts.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    size = len(objects) + 1
    return (
        content
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(content))
    )
