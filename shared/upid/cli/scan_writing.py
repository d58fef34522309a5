"""What a scan writes: its document in one of the forms, to standard output, a file or a folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from upid.cli.scan_options import Form
from upid.domain.errors import UnavailableError
from upid.services.scan import ScanResult

PIPE_WIDTH = 160


def write(result: ScanResult, output: Form, file: Path | None) -> None:
    """Write the result; UnavailableError where the file or folder cannot be written."""
    if output is Form.PATCH and file is not None:
        from upid.cli.outputs.patches import patches_of, render_commands, write_patches

        found = patches_of(result.document)
        write_patches(found, file)
        text, file = render_commands(found, file), None
    else:
        text = render(result, output, is_seen=file is None and sys.stdout.isatty())
    if file is None:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return
    try:
        file.write_bytes(text)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror}.") from None


def render(result: ScanResult, output: Form, *, is_seen: bool = False) -> bytes:
    """Return the document in a form that is one text; `is_seen`: a person looks at it on a terminal."""
    document = result.document
    match output:
        case Form.JSON:
            import orjson

            return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        case Form.CSV:
            from upid.cli.outputs.rows import render_csv

            return render_csv(document)
        case Form.YAML:
            from upid.cli.outputs.yaml_text import render_yaml

            return render_yaml(document)
        case Form.HTML:
            from upid.cli.outputs.page.render import render_page

            return render_page(document, result.trails)
    from upid.cli.table import render as render_table

    return render_table(document, width=None if is_seen else PIPE_WIDTH, color=is_seen).encode()


def tell(warnings: Sequence[str], errors: Sequence[str]) -> None:
    """Say on standard error what was incomplete, and what could not be read, in six lines at most."""
    for line in warnings:
        print(f"upid: warning: {line}", file=sys.stderr)
    shown = errors if len(errors) <= 5 else [*errors[:4], f"and {len(errors) - 4} more: see the summary of the document."]
    if errors:
        print("upid: done in part, this could not be read:", file=sys.stderr)
    for line in shown:
        print(f"  {line}", file=sys.stderr)
