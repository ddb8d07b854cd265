# Sourced by the scripts beside it: makes the Python environment and the data once. Sets root, cache, python, data.
root=$(cd "$here/../.." && pwd)
cache=${CACHE:-$HOME/.cache/dbjob/bench}
venv=$cache/learning-venv
data=$cache/learning
mkdir -p "$data"
if [ ! -f "$venv/made" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet numpy==2.4.6 pandas==2.3.3 pyarrow==26.0.1 scikit-learn==1.9.1 lightgbm==4.7.0 \
    xgboost==3.2.0 flaml==2.7.0
  touch "$venv/made"
fi
python=$venv/bin/python
