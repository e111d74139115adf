"""Read every pair once: check it, and write what there is to know of the dataset, for training and to look at."""

from bisenet.errors import Faults, refuse
from bisenet.inspection.dataset_report import write_report
from bisenet.inspection.remarks import warnings_of
from bisenet.inspection.statistics import check_classes, dataset_statistics, trained_format
from bisenet.samples.annotations import pair_files, read_classes, read_pairs, read_summary
from bisenet.samples.labels import LabelReader, read_pair
from bisenet.samples.orientation import STORED
from bisenet.system.entry import run
from stages.params import load_params, worker_count
from stages.params.paths import ANNOS, FILE_CACHE, STATISTICS


def main():
    params = load_params("data_root", "strict", "workers")
    table, summary = read_classes(ANNOS), read_summary(ANNOS)
    told = summary.get("orientation")
    reading = {"workers": worker_count(params["workers"]), "channels": summary["channels"], "cache_folder": FILE_CACHE}
    reading |= {"stored": told == STORED, "strict": params["strict"]}
    faults = Faults()
    statistics = {
        split: dataset_statistics(read_pairs(ANNOS, split), params["data_root"], table, **reading, faults=faults)
        for split in summary["splits"]
    }
    faults.check()
    form = trained_format(statistics)
    hidden = {split: found.get("hidden") for split, found in summary["splits"].items()}
    empty = {split: check_classes(found, table, split, hidden[split]) for split, found in statistics.items()}
    if params["strict"]:
        refuse("classes that cannot be learned; take them out of the table, or set strict: false", empty.pop("train"))
    warnings = [*summary["warnings"], *(line for lines in empty.values() for line in lines)]
    warnings += warnings_of({split: found.remarks for split, found in statistics.items()}, told)
    for warning in warnings:
        print(f"warning: {warning}")

    read_label = LabelReader(table)

    def read(pair):
        return read_pair(pair_files(pair, params["data_root"]), read_label, form[0])

    write_report(STATISTICS.parent, statistics, table, warnings, form=form, read=read, hidden=hidden)


if __name__ == "__main__":
    run(main, alone=__doc__)
