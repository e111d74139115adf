"""NumPy and MATLAB files, as bytes."""

import io

import numpy as np
from scipy.io import savemat


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(save=np.savez, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def mat(compress=True, form="5", **variables):
    buffer = io.BytesIO()
    savemat(buffer, variables, format=form, do_compression=compress)
    return buffer.getvalue()
