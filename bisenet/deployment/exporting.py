"""Export a checkpoint in several formats, prove each, and tell what came of it."""

import math
import os
import shutil
from pathlib import Path

from bisenet.errors import InputError
from bisenet.system.artifacts import write_json, write_text
from bisenet.system.png import write_png
from bisenet.system.tables import markdown_table

HEAD = "format", "MB", "runtime", "equal labels", "at odd sizes", "largest logit difference", "mIoU", "of checkpoint"


def export_all(formats, source, folder, judge, agreement=None):
    """Write `<folder>/models/<format>/` of each `Format`, `metrics.json` and `table.md`; print the table.

    source: the `Source` of all; judge: the `Judge` that proves them
    agreement: least share of the labels that must be the checkpoint's; None for each format's own
    Raises `InputError`, after all are done, where one cannot be made, or does not agree: then a picture shows where.
    """
    folder = Path(folder)
    (folder / "models").mkdir(parents=True, exist_ok=True)  # also where no format is wanted
    shutil.rmtree(folder / "differences", ignore_errors=True)
    proofs, sizes, faults = {}, {}, []
    for form in formats:
        print(f"export: {form.words}", flush=True)
        try:
            place = _export(form, source, folder / "models")
            sizes[form.name] = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
            proof = proofs[form.name] = form.open and judge.prove(form.open(place / form.file, "cpu", None))
        except InputError as error:
            faults.append(f"{form.name}: {str(error).removeprefix(f'{form.name}: ')}")
            continue
        least = form.agreement if agreement is None else agreement
        if proof and proof.least < least:
            picture = folder / "differences" / f"{form.name}.png"
            write_png(picture, proof.picture)
            where = ", ".join(f"{name} {share:.2%}" for name, share in proof.shares.items())
            faults.append(
                f"{form.name}: in {proof.runtime} ({proof.precision}) {proof.least:.2%} of the labels are the "
                f"checkpoint's, and {least:.2%} are wanted ({where}); see {picture}, or lower export.agreement"
            )
    write_json(folder / "metrics.json", {name: proof and proof.metrics() for name, proof in proofs.items()})
    text = markdown_table([HEAD, *(_row(name, proof, sizes[name]) for name, proof in proofs.items())])
    write_text(folder / "table.md", f"Tried on {judge.pictures.words}.\n\n{text}")
    print(text, end="")
    if faults:
        raise InputError("\n".join(faults))


def _export(form, source, folder):
    """The folder of the format, which is there as a whole or not at all."""
    place, partial = folder / form.name, folder / f".partial-{form.name}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        form.export(source, partial)
        shutil.rmtree(place, ignore_errors=True)
        os.replace(partial, place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return place


def _row(name, proof, size):
    megabytes = f"{size / 1e6:.1f}"
    if proof is None:
        return name, megabytes, "not run here", *["-"] * (len(HEAD) - 3)
    odd = [share for key, share in proof.shares.items() if key != "images"]
    return (
        name,
        megabytes,
        f"{proof.runtime}, {proof.precision}",
        f"{100 * proof.agreement:.3f} %",
        f"{100 * min(odd):.3f} %" if odd else "-",
        "-" if math.isnan(proof.largest_difference) else f"{proof.largest_difference:.1e}",
        *("-" if math.isnan(miou) else f"{100 * miou:.2f}" for miou in (proof.miou, proof.checkpoint_miou)),
    )
