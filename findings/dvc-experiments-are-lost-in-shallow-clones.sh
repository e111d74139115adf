#!/usr/bin/env bash
# Library: DVC 3.67.1 (`dvc exp run --temp`), in a clone made by `git clone --depth 1` or `--depth 2`.
# What happens: the stages run, the command ends with status 0, and no experiment is there: `dvc exp list` prints
# nothing, no reference below refs/exps names a result. Metrics and models are gone with the temporary folder. After
# `git fetch --unshallow` the same command keeps the experiment. `dvc exp run` without `--temp` shows its results in
# the workspace either way.
# Why it matters: CI services and notebooks clone with depth 1 by default. A night of queued trainings leaves nothing.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1
export PATH="$room/venv/bin:$PATH" DVC_NO_ANALYTICS=1
export GIT_AUTHOR_NAME=me GIT_AUTHOR_EMAIL=me@example.org GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@example.org
dvc --version

git init -q -b main "$room/project"
cd "$room/project"
dvc init -q
printf 'rate: 1\n' > params.yaml
cat > dvc.yaml <<'YAML'
stages:
  train:
    cmd: cp params.yaml model.txt
    params: [rate]
    outs: [model.txt]
YAML
git add -A
git commit -q -m first
git commit -q --allow-empty -m second
git commit -q --allow-empty -m third

kept() { # the number of experiments that a temporary run leaves in this clone
    status=0
    dvc exp run --temp -S rate="$1" > "$room/log" 2>&1 || status=$?
    echo "$status $(dvc exp list --name-only | grep -c . || true)"
}
for depth in 1 2; do
    git clone -q --depth "$depth" "file://$room/project" "$room/clone$depth"
    cd "$room/clone$depth"
    seen=$(kept 2)
    echo "seen at depth $depth: status and experiments: $seen"
    [ "$seen" = "0 0" ]
    git fetch -q --unshallow
    seen=$(kept 3)
    echo "seen after git fetch --unshallow: $seen"
    [ "$seen" = "0 1" ]
done
echo "still so"
