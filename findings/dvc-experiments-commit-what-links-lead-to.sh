#!/usr/bin/env bash
# Library: DVC 3.67.1 (`dvc exp run`), a stage whose dependency lies below a link to a folder outside the repository.
# What happens: the experiment's commit holds every file of that folder, as copies below the name of the link, which
# Git itself refuses ("beyond a symbolic link"). The same is so of any dependency that Git neither tracks nor ignores.
# `dvc repro` commits nothing of them.
# Why it matters: raw data, linked into a project to keep it out, comes into .git with the first experiment, without a
# word, and with `dvc exp push` onto a server. A line in .gitignore for the link prevents it.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1
export PATH="$room/venv/bin:$PATH" DVC_NO_ANALYTICS=1
export GIT_AUTHOR_NAME=me GIT_AUTHOR_EMAIL=me@example.org GIT_COMMITTER_NAME=me GIT_COMMITTER_EMAIL=me@example.org
dvc --version

mkdir -p "$room/disk/photos"
for number in 1 2 3; do echo "photo $number" > "$room/disk/photos/$number.txt"; done
git init -q -b main "$room/project"
cd "$room/project"
dvc init -q
printf 'rate: 1\n' > params.yaml
cat > dvc.yaml <<'YAML'
stages:
  train:
    cmd: cat raw/photos/*.txt params.yaml > model.txt
    deps: [raw/photos]
    params: [rate]
    outs: [model.txt]
YAML
git add -A
git commit -q -m first
ln -s "$room/disk" raw

if git add raw/photos/1.txt 2> "$room/log"; then exit 1; fi
echo "git add: $(head -n 1 "$room/log" | sed "s|$room||g")"
dvc exp run -q -n linked -S rate=2
seen=$(git ls-tree -r --name-only "$(git for-each-ref --format='%(objectname)' 'refs/exps/*/*/linked')" raw | wc -l)
echo "expected (Git's own way): 0 files of the linked folder in the commit; seen: $seen"
[ "$seen" = 3 ]

git checkout -q -- .
echo /raw > .gitignore
git add .gitignore
git commit -q -m ignored
dvc exp run -q -n ignored -S rate=3
seen=$(git ls-tree -r --name-only "$(git for-each-ref --format='%(objectname)' 'refs/exps/*/*/ignored')" raw | wc -l)
echo "expected and seen where .gitignore names the link: $seen"
[ "$seen" = 0 ]
echo "still so"
