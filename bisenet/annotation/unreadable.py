"""Kinds of files that people have and nothing here reads, and what to do with them."""

from collections import Counter

KINDS = [  # (suffixes, what they are, the cure)
    (
        (".nii", ".nii.gz", ".mha", ".nrrd"),
        "medical volumes",
        "save each slice as PNG or TIFF, with nibabel or SimpleITK",
    ),
    ((".dcm", ".dicom"), "DICOM", "save each picture as PNG or TIFF, with pydicom"),
    ((".h5", ".hdf5"), "HDF5", "save its arrays as .npy, one file an image, with h5py"),
    ((".parquet", ".arrow"), "tables", "save the image and the mask of each row as files, with pandas or datasets"),
    ((".tfrecord", ".tfrecords", ".mdb", ".lmdb"), "records", "save the image and the mask of each record as files"),
    ((".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar"), "archives", "unpack them"),
    ((".mp4", ".avi", ".mov", ".mkv"), "videos", "save frames as PNG or JPEG, with ffmpeg"),
    ((".heic", ".avif", ".jxl", ".dng", ".psd"), "pictures", "convert them to PNG or JPEG"),
    ((".shp", ".geojson", ".gpkg"), "vector maps", "draw them into PNG or TIFF, with rasterio or gdal_rasterize"),
]


def unreadable(paths):
    """A line for each such kind: how many files, and the cure."""
    counts, first = Counter(), {}
    for path in paths:
        for kind in KINDS:
            if path.lower().endswith(kind[0]):
                counts[kind] += 1
                first.setdefault(kind, path)
                break
    return [
        f"{count} {'file is' if count == 1 else 'files are'} {what} (such as {first[suffixes, what, cure]}): {cure}"
        for (suffixes, what, cure), count in counts.most_common()
    ]
