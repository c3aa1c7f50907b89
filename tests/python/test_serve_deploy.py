"""deploy/: what the files there name is there, images have what programs need, service managers are told what they wait for."""

import configparser
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import ftl
import pytest
import serve_examples
from serving import Server, server_program

DEPLOY = ftl.ROOT / "deploy"
PROGRAMS = ("foretell", "foretell-server")


def settings():
    """Names of the settings, as --help lists them."""
    run = subprocess.run([server_program(), "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"^  --([a-z-]+)", run.stdout, re.MULTILINE))


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_options_and_variables_that_a_file_names_exist(path):
    text = path.read_text()
    known = settings()
    for name in re.findall(r"FORETELL_SERVE_([A-Z_]+)", text):
        assert name.lower().replace("_", "-") in known, name
    server = "\n".join(line for line in text.splitlines() if "foretell-server" in line or "command:" in line or
                       line.lstrip().startswith("- --") or "docker run" in line)
    for name in re.findall(r"(?<![\w-])--([a-z][a-z-]+)", server):
        assert name in known or name in ("config", "rm", "profile", "user"), name


def instructions(name):
    """[(instruction, its text)] of a Dockerfile, lines that go on put together."""
    text = re.sub(r"\\\n", " ", (DEPLOY / name).read_text())
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("file", ["Dockerfile", "Dockerfile.cli"])
def test_the_image_is_made_with_care(file):
    found = instructions(file)
    names = [name for name, _ in found]
    assert set(names) <= {"FROM", "RUN", "WORKDIR", "COPY", "LABEL", "ENV", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK",
                          "ENTRYPOINT", "CMD"}
    stages = [text for name, text in found if name == "FROM"]
    assert len(stages) == 2 and " AS build" in stages[0] and stages[1] == "scratch"
    assert all(":latest" not in text and (":" in text or text == "scratch") for text in stages)
    last = found[len(names) - names[::-1].index("FROM") - 1:]
    assert not [text for name, text in last if name == "RUN"]  # there is no shell
    user = dict(last)["USER"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)  # a number: who only sees that it is not root need not look it up
    for name in ("ENTRYPOINT", "CMD"):
        assert dict(last)[name].startswith('["')
    if file == "Dockerfile":
        assert '["foretell", "health"' in dict(last)["HEALTHCHECK"] and dict(last)["STOPSIGNAL"] == "SIGTERM"
    else:
        assert "EXPOSE" not in names and "FTL_WITH_SERVER=OFF" in " ".join(text for _, text in found)
    for name, text in found:
        if name == "RUN" and "apt-get install" in text:
            assert "--no-install-recommends" in text and "rm -rf /var/lib/apt/lists" in text
    for word in re.findall(r"\b(?:deploy|scripts|tools)/[\w-]+", " ".join(text for _, text in found)):
        assert os.access(ftl.ROOT / word, os.X_OK), word


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The root of an image, as the Dockerfile makes it."""
    root = tmp_path_factory.mktemp("image")
    prefix = "/opt/foretell"
    tree = root / prefix[1:]
    (tree / "bin").mkdir(parents=True)
    for name in PROGRAMS:
        shutil.copy(pathlib.Path(server_program()).with_name(name), tree / "bin" / name)
    shutil.copytree(ftl.ROOT / "build/third_party/web", tree / "share/foretell/web")
    (tree / "include").mkdir()
    (tree / "lib").mkdir()
    (tree / "lib/libforetell.a").touch()
    subprocess.run([DEPLOY / "image-root", root, prefix], check=True)
    return root, prefix


def test_the_image_has_every_library_and_nothing_for_compilers(image):
    root, prefix = image
    assert not list(root.rglob("*.a")) and not list(root.rglob("*.h"))
    loaders = [path for path in root.glob("lib*/**/ld-*.so*") if path.is_file()]
    assert len({path.name for path in loaders}) == 1
    folders = sorted({str(path.parent) for path in root.rglob("*.so*") if prefix not in str(path)})
    for name in PROGRAMS:
        run = subprocess.run([loaders[0], "--inhibit-cache", "--library-path", ":".join(folders), "--list",
                              f"{root}{prefix}/bin/{name}"], capture_output=True, text=True, check=True)
        outside = [line for line in re.findall(r"=> (/\S+)", run.stdout) if not line.startswith(str(root))]
        assert run.stdout.count("=>") >= 3 and not outside, run.stdout


def test_the_image_reads_text_in_other_encodings(image):
    """--encoding: the C library loads a module for each; without them only a few encodings are known."""
    root, _ = image
    folders = [path.parent for path in root.rglob("gconv-modules")]
    assert len(folders) == 1 and (folders[0] / "ISO8859-1.so").exists() and (folders[0] / "CP1252.so").exists()


def test_the_programs_of_the_image_run_on_its_libraries_alone(image, tmp_path):
    root, prefix = image
    loader = next(path for path in root.glob("lib*/**/ld-*.so*") if path.is_file())
    folders = ":".join(sorted({str(path.parent) for path in root.rglob("*.so*") if prefix not in str(path)}))
    for name in PROGRAMS:
        run = subprocess.run([loader, "--inhibit-cache", "--library-path", folders, f"{root}{prefix}/bin/{name}", "--version"],
                             capture_output=True, text=True, check=True, env={})
        assert run.stdout.startswith(name)


# ---- systemd ----

def unit():
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read(DEPLOY / "foretell.service")
    return parser


def test_the_service_is_hardened():
    service = unit()["Service"]
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "MemoryDenyWriteExecute", "DynamicUser",
                 "RestrictNamespaces", "LockPersonality"):
        assert service[name] == "yes", name
    assert service["ProtectSystem"] == "strict" and service["CapabilityBoundingSet"] == ""
    # systemd waits longer than the server may take to end
    defaults = subprocess.run([server_program(), "--check-config"], capture_output=True, text=True, check=True).stdout
    assert int(service["TimeoutStopSec"]) > int(re.search(r"drain-seconds = (\d+)", defaults)[1])


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_manager_is_told_when_the_server_is_ready_and_when_it_ends(tmp_path, abstract):
    serve_examples.fill(tmp_path)
    name = "\0" + f"foretell-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(30)
        with Server(tmp_path, env={"NOTIFY_SOCKET": name.replace("\0", "@")}) as server:
            assert manager.recv(100) == b"READY=1"
            assert server.get("/api/v1/inference/health").status == 200
            server.process.send_signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            assert server.process.wait(30) == 0


@pytest.mark.parametrize("name", ["", "/nowhere/at/all", "relative", "@" + "x" * 200])
def test_nobody_to_tell_is_no_reason_not_to_serve(tmp_path, name):
    with Server("--model-root", tmp_path, env={"NOTIFY_SOCKET": name}) as server:
        assert server.get("/api/v1/inference/health").status == 200


# ---- With others' programs ----

@pytest.mark.long
def test_systemd_finds_no_fault(tmp_path):
    text = (DEPLOY / "foretell.service").read_text().replace("/usr/bin/foretell-server", server_program())
    path = tmp_path / "foretell.service"
    path.write_text(text)
    run = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")
    run = subprocess.run(["systemd-analyze", "security", "--offline=true", path], capture_output=True, text=True, check=False)
    level = float(re.search(r"Overall exposure level for \S+ ([\d.]+)", run.stdout.replace(":", ""))[1])
    assert level < 2, run.stdout


READ = """
import json, sys, yaml
print(json.dumps([d for d in yaml.safe_load_all(open(sys.argv[1]))]))
"""


def read_yaml(name):
    import json
    python = ftl.ROOT / "build/venv-serve/bin/python"
    run = subprocess.run([python, "-c", READ, DEPLOY / name], capture_output=True, text=True, check=True)
    documents = json.loads(run.stdout)
    assert len(documents) == 1
    return documents[0]


@pytest.mark.long
def test_compose_is_read_as_it_is_meant():
    compose = read_yaml("compose.yaml")
    service = compose["services"]["foretell"]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]
    assert all(port.startswith("127.0.0.1:") for one in compose["services"].values() for port in one["ports"])
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert int(service["stop_grace_period"].rstrip("s")) > 20
    for one in compose["services"].values():
        for volume in one.get("volumes", ()):
            if volume.startswith("./"):
                assert (DEPLOY / volume.split(":")[0]).is_file()
        for secret in one.get("secrets", ()):
            assert (secret if isinstance(secret, str) else secret["source"]) in compose["secrets"]


@pytest.mark.long
def test_kserve_runs_both_protocols():
    runtime = read_yaml("kserve.yaml")
    assert (runtime["apiVersion"], runtime["kind"]) == ("serving.kserve.io/v1alpha1", "ClusterServingRuntime")
    spec = runtime["spec"]
    assert spec["protocolVersions"] == ["v2", "v1"]
    assert {one["name"] for one in spec["supportedModelFormats"]} == {"sklearn", "xgboost", "lightgbm", "catboost"}
    container = spec["containers"][0]
    assert container["name"] == "kserve-container"  # the name that KServe looks for
    port = str(container["ports"][0]["containerPort"])
    assert f"--port={port}" in container["args"]
    for probe in ("readinessProbe", "livenessProbe"):
        assert str(container[probe]["httpGet"]["port"]) == port
    assert container["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"]


def test_kserves_folder_of_one_model_has_the_services_name(tmp_path):
    """As deploy/kserve.yaml starts it: NAME=/mnt/models, where one model lies."""
    models = tmp_path / "mnt"
    models.mkdir()
    serve_examples.fill(tmp_path)
    shutil.copy(tmp_path / "plain.joblib", models / "model.joblib")
    with Server(f"my-service={models}", "--model-root", models) as server:
        assert server.get("/v2/models/my-service/ready").status == 200
        tensor = {"name": "input", "datatype": "FP64", "shape": [1, 28], "data": serve_examples.ROWS["plain"]}
        assert server.post_json("/v2/models/my-service/infer", {"inputs": [tensor]}).status == 200
        answer = server.post_json("/v1/models/my-service:predict", {"instances": [serve_examples.ROWS["plain"]]})
        assert answer.status == 200 and len(answer.json()["predictions"]) == 1


def test_a_folder_of_versions_may_have_another_name_and_an_empty_one_has_none(tmp_path):
    serve_examples.fill(tmp_path)
    with Server(f"petals={tmp_path / 'flowers'}") as server:
        assert server.get("/v2/models/petals").json()["versions"] == ["1", "2"]
    (tmp_path / "empty").mkdir()
    run = subprocess.run([server_program(), f"none={tmp_path / 'empty'}", "--port", "0"], capture_output=True, text=True,
                         check=False, timeout=30)
    assert run.returncode == 2 and "neither one model nor versions" in run.stderr


@pytest.mark.long
def test_prometheus_reads_its_configuration(tmp_path):
    for name in ("prometheus.yaml", "alerts.yaml"):
        shutil.copy(DEPLOY / name, tmp_path)
    text = (tmp_path / "prometheus.yaml").read_text().replace("/run/secrets/foretell_metrics_key", str(tmp_path / "key"))
    (tmp_path / "prometheus.yaml").write_text(text)
    (tmp_path / "key").write_text("k")
    run = subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yaml"], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and "SUCCESS" in run.stdout, run.stdout + run.stderr
