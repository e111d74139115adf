"""What DVC records of a stage: parameters, data and code as they are when it ends, whatever it began with."""

import os

from bisenet.errors import refuse
from bisenet.system.yaml12 import read_yaml
from stages.params import PARAMS_FILE


class Recorded:
    """The values of `names` in params.yaml at the start of a stage; those of dvc.yaml's `params`, empty ones too."""

    def __init__(self, *names):
        self.values = _given(names)

    def refuse_others(self, changed_files):
        """Raise `InputError` where DVC runs this stage and would record what the result is not of.

        changed_files: names of data and code that are not what they were at the start
        """
        if "DVC_STAGE" not in os.environ:
            return
        pairs = zip(self.values.items(), _given(self.values).values(), strict=True)
        faults = [f"{PARAMS_FILE}: {name} was {was}, is {now}" for (name, was), now in pairs if was != now]
        refuse(
            "changed while this stage ran, and DVC would record it as what the result was made with; nothing is lost: "
            "put back what was, and the same command ends at once; or run it now, for a result of what is:",
            [*faults, *(f"{name}: has other contents" for name in changed_files)],
        )


def _given(names):
    params = read_yaml(PARAMS_FILE)
    return {name: params.get(name) for name in names}
