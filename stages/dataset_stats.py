"""Read every pair once: check it, and write sizes, mean and deviation, and class shares."""

from bisenet.annotations import read_classes, read_pairs
from bisenet.artifacts import write_csv, write_json
from bisenet.lists import SPLITS
from bisenet.statistics import check_classes, common_format, dataset_statistics
from stages.entry import run
from stages.params import load_params
from stages.paths import ANNOS, FILE_CACHE, STATISTICS


def main():
    params = load_params("data_root", "workers")
    table = read_classes(ANNOS)
    workers = None if params["workers"] == "auto" else max(1, params["workers"])
    statistics = {
        split: dataset_statistics(
            read_pairs(ANNOS, split), params["data_root"], table, workers=workers, cache_folder=FILE_CACHE
        )
        for split in SPLITS
    }
    channels, bit_depth = common_format(statistics.values())
    for split, found in statistics.items():
        for warning in check_classes(found, table, split):
            print(f"warning: {warning}")
    write_json(
        STATISTICS, {split: found.to_dict(table.names, channels, bit_depth) for split, found in statistics.items()}
    )
    write_csv(
        STATISTICS.with_name("class_shares.csv"),
        ["split", "class", "share", "pixels", "images"],
        [
            [split, name, share, pixels, images]
            for split, found in statistics.items()
            for name, share, pixels, images in zip(
                table.names, found.class_shares, found.class_pixels, found.class_images, strict=True
            )
        ],
    )


if __name__ == "__main__":
    run(main)
