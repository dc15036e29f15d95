"""Executes one notebook in the project's kernel and keeps an executed copy, also of a run that failed.

Called by run-notebook.mjs as: execute.py NOTEBOOK COPY SECONDS_PER_CELL [--write]
What happens goes to file descriptor 3, one JSON object a line; stdout and stderr are the kernel's.
"""

import json
import os
import signal
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

LANGUAGE = {"name": "typescript", "file_extension": ".ts", "mimetype": "text/typescript"}
KERNEL = {"name": "tslab", "display_name": "TypeScript (meterbridge)", "language": "typescript"}
START_SECONDS = 120


def tell(**event):
    os.write(3, (json.dumps(event) + "\n").encode())


def read(path):
    """A notebook without old outputs. Cells without an id get one that is the same in every run."""
    with open(path, encoding="utf-8") as file:
        raw = json.load(file)
    for number, cell in enumerate(raw["cells"], 1):
        cell.setdefault("id", f"cell-{number}")
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    raw["nbformat_minor"] = 5
    raw["metadata"] = {"kernelspec": KERNEL, "language_info": LANGUAGE}
    return nbformat.reads(json.dumps(raw), as_version=4)


def write(notebook, path):
    """The metadata are ours: Jupyter's own change with its version."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    nbformat.write(notebook, path)


def merge_streams(outputs):
    """Neighbouring pieces of one stream as one: how they were cut depends on timing."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def client_for(notebook, seconds):
    return NotebookClient(
        notebook,
        kernel_name="tslab",
        startup_timeout=START_SECONDS,
        timeout=int(seconds),
        # Outputs that come after the reply: by default what is not there after 4 s is left out.
        iopub_timeout=int(seconds),
        raise_on_iopub_timeout=True,
        record_timing=False,
    )


def run(client, notebook):
    """Executes the cells in order and returns what went wrong, or None."""
    runnable = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()]
    with client.setup_kernel():
        for count, index in enumerate(runnable, 1):
            cell = notebook.cells[index]
            tell(cell=count, of=len(runnable))
            try:
                client.execute_cell(cell, index)
            except CellExecutionError:
                errors = [output for output in cell.outputs if output.output_type == "error"]
                message = "\n".join(errors[-1].traceback)
            except CellTimeoutError:
                message = f"Time-out: the cell was not done after {client.timeout} s."
            except DeadKernelError:
                message = "The kernel ended while this cell ran: process.exit() in it, or a crash."
            else:
                continue
            return {"cell": count, "source": cell.source, "message": message}
    return None


def main(path, copy, seconds, *flags):
    # An end that is asked for comes as the same exception as Ctrl-C, so that the kernel is ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    notebook = read(path)
    try:
        try:
            failure = run(client_for(notebook, seconds), notebook)
        except RuntimeError:
            # Jupyter lets go of the ports that it found before the kernel takes them: another was quicker.
            if any(cell.get("execution_count") for cell in notebook.cells):
                raise
            failure = run(client_for(notebook, seconds), notebook)
    except KeyboardInterrupt:
        failure = {"message": "Interrupted."}
    except RuntimeError as error:
        failure = {"message": f"The kernel did not start: {error}"}
    write(notebook, copy)
    if failure is None and "--write" in flags:
        write(notebook, path)
    tell(done=True, failure=failure)


if __name__ == "__main__":
    main(*sys.argv[1:])
