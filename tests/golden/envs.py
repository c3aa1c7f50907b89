"""Pinned Python environments in which the golden fixtures are written.

Every environment is a directory under --envs that holds the packages of one moment in time.  It is filled with
`pip install --target`, from wheels alone, and used through PYTHONPATH: this works alike for Python 2.7, which has
no venv module, and for 3.13, and never mixes with what the interpreter has installed for itself (-s -E are not
used because PYTHONPATH must be read, but the target comes first on sys.path).
"""

import glob
import os
import shutil
import subprocess
import sys
from collections import namedtuple

Env = namedtuple("Env", "name python packages")


def _sklearn(version, python, numpy, scipy, joblib, pandas, *more):
    packages = ["scikit-learn==" + version, "numpy==" + numpy, "scipy==" + scipy,
                "joblib==" + joblib, "pandas==" + pandas]
    return Env("sklearn-" + version, python, packages + list(more or ["lz4"]))


# scikit-learn releases with the numpy, scipy, joblib and pandas that were current when they came out.
SKLEARN = [
    _sklearn("0.20.4", "3.6", "1.16.6", "1.2.3", "0.13.2", "0.24.2", "lz4==2.2.1"),
    _sklearn("0.22.2.post1", "3.7", "1.18.5", "1.4.1", "0.14.1", "1.0.5"),
    _sklearn("0.24.2", "3.8", "1.19.5", "1.5.4", "1.0.1", "1.2.5"),
    _sklearn("1.0.2", "3.8", "1.21.6", "1.7.3", "1.1.1", "1.3.5"),
    _sklearn("1.1.3", "3.9", "1.23.5", "1.9.3", "1.2.0", "1.5.3"),
    _sklearn("1.2.2", "3.10", "1.23.5", "1.10.1", "1.2.0", "1.5.3"),
    _sklearn("1.3.2", "3.11", "1.26.4", "1.11.4", "1.3.2", "2.1.4"),
    _sklearn("1.4.2", "3.11", "1.26.4", "1.12.0", "1.4.2", "2.2.2"),
    _sklearn("1.5.2", "3.12", "2.0.2", "1.14.1", "1.4.2", "2.2.3"),
    _sklearn("1.6.1", "3.12", "2.2.6", "1.15.3", "1.4.2", "2.2.3"),
    _sklearn("1.8.0", "3.13", "2.3.5", "1.16.3", "1.5.2", "2.3.3"),
    _sklearn("1.9.1", "3.13", "2.5.5", "1.18.1", "1.6.0", "3.0.6", "lz4", "pyarrow"),
]

# LightGBM releases with what was current beside them; the interpreters are those that have their wheels.
LIGHTGBM = [
    Env("lightgbm-" + v, py, ["lightgbm==" + v, "scikit-learn==" + sk, "numpy==" + numpy, "scipy==" + scipy,
                              "joblib==" + joblib, "pandas==" + pandas, "lz4"])
    for v, py, sk, numpy, scipy, joblib, pandas in [
        ("2.2.3", "3.7", "0.20.4", "1.16.6", "1.2.3", "0.13.2", "0.24.2"),
        ("2.3.1", "3.8", "0.22.2.post1", "1.18.5", "1.4.1", "0.14.1", "1.0.5"),
        ("3.1.1", "3.8", "0.24.2", "1.19.5", "1.5.4", "1.0.1", "1.2.5"),
        ("3.3.5", "3.10", "1.2.2", "1.23.5", "1.10.1", "1.2.0", "1.5.3"),
        ("4.1.0", "3.11", "1.3.2", "1.26.4", "1.11.4", "1.3.2", "2.1.4"),
        ("4.7.0", "3.12", "1.8.0", "2.3.5", "1.16.3", "1.5.2", "2.3.3"),
    ]
]

# xgboost-cpu is the same library without what graphics cards need.
XGBOOST = [
    Env("xgboost-" + v, py, [package + "==" + v, "scikit-learn==" + sk, "numpy==" + numpy, "scipy==" + scipy,
                             "joblib==" + joblib, "pandas==" + pandas, "lz4"])
    for v, package, py, sk, numpy, scipy, joblib, pandas in [
        ("0.90", "xgboost", "3.7", "0.20.4", "1.16.6", "1.2.3", "0.13.2", "0.24.2"),
        ("1.2.1", "xgboost", "3.8", "0.22.2.post1", "1.18.5", "1.4.1", "0.14.1", "1.0.5"),
        ("1.3.3", "xgboost", "3.8", "0.24.2", "1.19.5", "1.5.4", "1.0.1", "1.2.5"),
        ("1.5.2", "xgboost", "3.8", "1.0.2", "1.21.6", "1.7.3", "1.1.1", "1.3.5"),
        ("1.7.6", "xgboost", "3.10", "1.2.2", "1.23.5", "1.10.1", "1.2.0", "1.5.3"),
        ("2.1.4", "xgboost-cpu", "3.11", "1.5.2", "1.26.4", "1.12.0", "1.4.2", "2.2.2"),
        ("3.0.5", "xgboost-cpu", "3.12", "1.6.1", "2.2.6", "1.15.3", "1.4.2", "2.2.3"),
        ("3.2.0", "xgboost-cpu", "3.12", "1.8.0", "2.3.5", "1.16.3", "1.5.2", "2.3.3"),
        ("3.4.1", "xgboost-cpu", "3.13", "1.9.1", "2.5.5", "1.18.1", "1.6.0", "3.0.6"),
    ]
]

# CatBoost releases; 0.26.1 is the oldest with wheels for the interpreters at hand.
CATBOOST = [
    Env("catboost-" + v, py, ["catboost==" + v, "scikit-learn==" + sk, "numpy==" + numpy, "scipy==" + scipy,
                              "joblib==" + joblib, "pandas==" + pandas, "lz4"])
    for v, py, sk, numpy, scipy, joblib, pandas in [
        ("0.26.1", "3.8", "0.24.2", "1.19.5", "1.5.4", "1.0.1", "1.2.5"),
        ("1.0.6", "3.9", "1.1.3", "1.23.5", "1.9.3", "1.2.0", "1.5.3"),
        ("1.1.1", "3.10", "1.2.2", "1.23.5", "1.10.1", "1.2.0", "1.5.3"),
        ("1.2.0", "3.11", "1.3.2", "1.26.4", "1.11.4", "1.3.2", "2.1.4"),
        ("1.2.10", "3.13", "1.8.0", "2.3.5", "1.16.3", "1.5.2", "2.3.3"),
    ]
]



def _tables(kind, version, pandas_version, pmml, python, sklearn, numpy, scipy, joblib, pandas, *more):
    return Env("%s-%s" % (kind, version), python,
               ["sklearn-pandas==" + pandas_version, "sklearn2pmml==" + pmml, "--no-binary=sklearn2pmml",
                "scikit-learn==" + sklearn, "numpy==" + numpy, "scipy==" + scipy, "joblib==" + joblib,
                "pandas==" + pandas, "six"] + list(more or ["lz4"]))


# sklearn-pandas and sklearn2pmml side by side, with what was current beside them.  sklearn2pmml's older releases have no
# wheels; they are Python alone.
_PAIRS = [
    ("1.8.0", "0.40.0", "3.6", "0.20.4", "1.16.6", "1.2.3", "0.13.2", "0.24.2", "lz4==2.2.1"),
    ("1.8.0", "0.52.1", "3.7", "0.22.2.post1", "1.18.5", "1.4.1", "0.14.1", "1.0.5"),
    ("2.0.4", "0.66.1", "3.8", "0.24.2", "1.19.5", "1.5.4", "1.0.1", "1.2.5"),
    ("2.1.0", "0.79.0", "3.8", "1.0.2", "1.21.6", "1.7.3", "1.1.1", "1.3.5"),
    ("2.2.0", "0.98.1", "3.10", "1.2.2", "1.23.5", "1.10.1", "1.2.0", "1.5.3"),
    ("2.2.0", "0.102.0", "3.11", "1.3.2", "1.26.4", "1.11.4", "1.3.2", "2.1.4"),
    ("2.2.0", "0.110.0", "3.12", "1.5.2", "2.0.2", "1.14.1", "1.4.2", "2.2.3", "lz4", "setuptools==75.8.0"),
    ("2.2.0", "0.133.1", "3.13", "1.9.1", "2.5.5", "1.18.1", "1.6.0", "3.0.6", "lz4", "pyarrow"),
]
PMML = [_tables("pmml", pair[1], *pair) for pair in _PAIRS]
# One release of sklearn-pandas each, with the oldest of the others.
MAPPERS = [_tables("mappers", pair[0], *pair) for i, pair in enumerate(_PAIRS)
           if pair[0] not in [other[0] for other in _PAIRS[:i]]]

# category_encoders releases, with the pandas of their day: what they fit are pandas' tables.
CATEGORY_ENCODERS = [
    Env("encoders-" + v, py, ["category_encoders==" + v, "scikit-learn==" + sk, "numpy==" + numpy, "scipy==" + scipy,
                              "joblib==" + joblib, "pandas==" + pandas, "statsmodels==" + statsmodels, *more])
    for v, py, sk, numpy, scipy, joblib, pandas, statsmodels, *more in [
        ("2.0.0", "3.7", "0.20.4", "1.16.6", "1.2.3", "0.13.2", "0.24.2", "0.10.2", "lz4"),
        ("2.1.0", "3.7", "0.22.2.post1", "1.18.5", "1.4.1", "0.14.1", "1.0.5", "0.11.1", "lz4"),
        ("2.2.2", "3.8", "0.24.2", "1.19.5", "1.5.4", "1.0.1", "1.2.5", "0.12.2", "lz4"),
        ("2.3.0", "3.8", "1.0.2", "1.21.6", "1.7.3", "1.1.1", "1.3.5", "0.13.2", "lz4"),
        ("2.4.1", "3.9", "1.1.3", "1.23.5", "1.9.3", "1.2.0", "1.5.3", "0.13.5", "lz4"),
        ("2.5.1.post0", "3.10", "1.2.2", "1.23.5", "1.10.1", "1.2.0", "1.5.3", "0.13.5", "lz4"),
        ("2.6.4", "3.11", "1.3.2", "1.26.4", "1.11.4", "1.3.2", "2.1.4", "0.14.1", "lz4"),
        ("2.8.1", "3.12", "1.6.1", "2.2.6", "1.15.3", "1.4.2", "2.2.3", "0.14.4", "lz4"),
        ("2.11.2", "3.13", "1.9.1", "2.5.5", "1.18.1", "1.6.0", "3.0.6", "0.14.6", "lz4", "pyarrow"),
    ]
]

# joblib's file layout changed at 0.10 (arrays in the stream) and 1.2 (aligned arrays); plain pickles come from the
# interpreters with other default protocols.
JOBLIB = [
    Env("python-2.7", "2.7", ["numpy==1.16.6", "scipy==1.2.3"]),
    Env("python-3.6", "3.6", ["numpy==1.16.6", "scipy==1.2.3"]),
    Env("python-3.12", "3.12", ["numpy", "scipy"]),
] + [
    Env("joblib-" + v, py, ["joblib==" + v, "numpy==" + numpy, "scipy==" + scipy] + lz4)
    for v, py, numpy, scipy, lz4 in [
        ("0.9.4", "3.6", "1.16.6", "1.2.3", []),
        ("0.10.0", "3.6", "1.16.6", "1.2.3", []),
        ("0.11", "3.6", "1.16.6", "1.2.3", []),
        ("0.13.2", "3.6", "1.16.6", "1.2.3", ["lz4==2.2.1"]),
        ("0.14.1", "3.7", "1.18.5", "1.4.1", ["lz4"]),
        ("1.0.1", "3.8", "1.19.5", "1.5.4", ["lz4"]),
        ("1.1.1", "3.8", "1.21.6", "1.7.3", ["lz4"]),
        ("1.2.0", "3.9", "1.23.5", "1.9.3", ["lz4"]),
        ("1.4.2", "3.11", "1.26.4", "1.12.0", ["lz4"]),
        ("1.6.0", "3.13", "2.5.5", "1.18.1", ["lz4"]),
    ]
]


def find_python(version):
    """Path of pythonX.Y: the concrete binary of a pyenv version first, since a shim may refuse to run."""
    candidates = []
    root = os.environ.get("PYENV_ROOT")
    if not root and shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    if root:
        candidates += sorted(glob.glob(os.path.join(root, "versions", version + ".*", "bin", "python" + version)))
    on_path = shutil.which("python" + version)
    if on_path:
        candidates.append(on_path)
    for path in candidates:
        probe = subprocess.run([path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if probe.returncode == 0 and probe.stdout.decode().strip() == version:
            return path
    raise SystemExit("python%s not found on PATH or among pyenv's versions" % version)


def ensure(env, root):
    """Fill the environment once; returns (interpreter, environment variables to run it with)."""
    python = find_python(env.python)
    target = os.path.join(root, env.name)
    done = os.path.join(target, ".complete")
    wanted = "\n".join([env.python] + env.packages) + "\n"
    if not os.path.exists(done) or open(done).read() != wanted:
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target", target]
                       + env.packages, check=True, stdout=sys.stderr)
        with open(done, "w") as f:
            f.write(wanted)
    variables = dict(os.environ, PYTHONPATH=target, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1",
                     OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
                     OPENBLAS_CORETYPE="Haswell")  # products as processors with AVX2 round them
    return python, variables
