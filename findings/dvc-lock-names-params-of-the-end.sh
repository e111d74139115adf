#!/usr/bin/env bash
# Library: DVC 3.67.1 (`dvc repro`, `dvc exp run` in the workspace).
# What happens: parameters and dependencies are recorded as they are when a stage ends. Change params.yaml or a file of
# code while it runs, and dvc.lock says that the result was made with the new one. `dvc status` is "up to date", and
# `dvc repro` will not make it anew. Known as treeverse/dvc issue 11058.
# Why it matters: a training takes hours, and editing the next experiment meanwhile is what people do. The model is then
# recorded, committed and shared as one of parameters that it never had.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1
export PATH="$room/venv/bin:$PATH" DVC_NO_ANALYTICS=1
dvc --version

git init -q "$room/project"
cd "$room/project"
dvc init -q
printf 'rate: 1\n' > params.yaml
printf 'code: 1\n' > code.txt
cat > dvc.yaml <<'YAML'
stages:
  train:
    cmd: cat params.yaml code.txt > model.txt && touch read && while [ ! -e changed ]; do sleep 0.1; done
    deps: [code.txt]
    params: [rate]
    outs: [model.txt]
YAML
dvc repro -q &
while [ ! -e read ]; do sleep 0.1; done
printf 'rate: 2\n' > params.yaml
printf 'code: 2\n' > code.txt
touch changed
wait

model=$(paste -sd ' ' model.txt)
lock=$(grep -A1 'params.yaml' dvc.lock | grep -o 'rate: .*')
code=$(grep -A2 'path: code.txt' dvc.lock | grep -o 'md5: .*')
status=$(dvc status)
echo "seen: the model was made with '$model'; dvc.lock says '$lock', $code; dvc status: $status"
[ "$model" = "rate: 1 code: 1" ]
[ "$lock" = "rate: 2" ]
[ "$code" = "md5: $(printf 'code: 2\n' | md5sum | cut -d ' ' -f 1)" ]
[ "$status" = "Data and pipelines are up to date." ]
echo "still so"
