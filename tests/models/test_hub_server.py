"""A hub on this machine, asked by the real client: which files, and what is said of the others."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

COMMIT = "0123456789" * 4
SOUND = ("config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json")
OTHERS = ("pytorch_model.bin", "onnx/model.onnx", "onnx/config.json", "README.md", "rust_model.ot")
MODELS = {
    "me/sound": (*SOUND, *OTHERS, "consolidated.safetensors", "original/model.safetensors"),
    "me/sharded": (
        "config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "tokenizer.json",
        "tokenizer.model",
    ),
    "me/pickled": ("config.json", "pytorch_model.bin", "vocab.txt"),
    "me/flax": ("config.json", "flax_model.msgpack", "tokenizer.json"),
    "me/gated": SOUND,
}
ASK = """
import json, sys
from itune import UserError
from itune.models import resolve_encoder
answers = {}
for name in sys.argv[1:]:
    try:
        folder = resolve_encoder(name)
        answers[name] = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    except UserError as error:
        answers[name] = str(error)
print(json.dumps(answers))
"""


class Hub(BaseHTTPRequestHandler):
    """The paths of the hub that its client asks for."""

    def answer(self):
        path = self.path.split("?")[0].strip("/")
        if path.startswith("api/models/"):
            name = "/".join(path.split("/")[2:4])
            if name not in MODELS:
                return self.reply(401, "RepoNotFound")
            if "/tree/" in path:
                about = {"type": "file", "size": 4, "oid": COMMIT}
                return self.reply(200, None, [about | {"path": file} for file in MODELS[name]])
            files = [{"rfilename": file} for file in MODELS[name]]
            return self.reply(200, None, {"id": name, "sha": COMMIT, "siblings": files})
        name, _, file = path.partition(f"/resolve/{COMMIT}/")
        if name == "me/gated":
            return self.reply(403, "GatedRepo")
        return self.reply(200 if file in MODELS.get(name, ()) else 404, None, {"file": file})

    do_GET = do_HEAD = answer

    def reply(self, status, code, value=None):
        value = value or {"error": "no"}
        body = json.dumps(value).encode()
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("ETag", f'"{abs(hash(body))}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(tmp_path_factory.mktemp("hub")),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
        }
        command = [sys.executable, "-c", ASK, *MODELS, "me/private"]
        done = subprocess.run(
            command, env=os.environ | settings, capture_output=True, text=True, timeout=120
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_read_is_fetched_and_nothing_else(answers):
    assert answers["me/sound"] == sorted(SOUND)
    assert answers["me/sharded"] == sorted(MODELS["me/sharded"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("me/pickled", "only pytorch_model.bin); pickled weights are not read: convert them by"),
        ("me/flax", "only flax_model.msgpack); weights of transformers in Flax are not read"),
        ("me/gated", "encoder 'me/gated' is gated: accept its terms on its page"),
        ("me/private", "'me/private' is not on the Hugging Face hub, or not open to you; check"),
    ],
)
def test_what_is_not_fetched_gets_one_line(answers, name, words):
    assert words in answers[name] and "\n" not in answers[name]
