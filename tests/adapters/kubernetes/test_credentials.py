from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from adapters.kubernetes.playing import Api, refusal
from outside.serving import Reply, Request, serving
from worlds.collection import SetClock

from upid.adapters.kubernetes.credentials import obtain
from upid.adapters.kubernetes.errors import KubeconfigError
from upid.adapters.kubernetes.lists import Lister
from upid.adapters.kubernetes.session import Patience, Session
from upid.adapters.kubernetes.target import Login, Target
from upid.domain.times import format_time

CREDENTIAL = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}


def plugin(folder: Path, code: str, **more: Any) -> Login:
    """Return a login by a plugin of Python code in a folder."""
    program = folder / "plugin"
    program.write_text(f"#!{sys.executable}\nimport json, os, sys\n{code}\n")
    program.chmod(0o755)
    return Login(plugin={"command": "./plugin"} | more, base_path=str(folder))


def answer(**status: Any) -> str:
    return f"print({json.dumps(json.dumps(CREDENTIAL | {'status': status}))})"


def headers(login: Login) -> dict[str, str]:
    return dict(obtain(Target("c", "https://api:6443", b"PEM", login=login), 0.0).headers)


def test_a_name_and_a_password_are_basic_authentication() -> None:
    assert headers(Login(username="jane", password="p:w")) == {"Authorization": "Basic amFuZTpwOnc="}


def test_nothing_is_sent_where_nothing_is_known() -> None:
    assert headers(Login()) == {}


def test_a_plugin_gives_a_token(tmp_path: Path) -> None:
    assert headers(plugin(tmp_path, answer(token="made"))) == {"Authorization": "Bearer made"}


def test_a_plugin_gives_a_certificate(tmp_path: Path) -> None:
    login = plugin(tmp_path, answer(clientCertificateData="CERT", clientKeyData="KEY"))

    credentials = obtain(Target("c", "https://api", login=login), 0.0)

    assert (credentials.certificate_pem, credentials.key_pem, credentials.headers) == (b"CERT", b"KEY", ())


def test_a_plugin_gets_its_arguments_environment_and_what_kubectl_tells_it(tmp_path: Path) -> None:
    code = "i = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\ntold = '|'.join([sys.argv[1], os.environ['COLOR'], i['spec']['cluster']['server'], str(i['spec']['interactive'])])\n"
    code += f"print(json.dumps({CREDENTIAL!r} | {{'status': {{'token': told}}}}))"
    login = plugin(
        tmp_path, code, args=["get-token"], env=[{"name": "COLOR", "value": "red"}], provideClusterInfo=True, interactiveMode="Never"
    )

    assert headers(login)["Authorization"] == "Bearer get-token|red|https://api:6443|False"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('reading'); sys.exit('no session: log in first')", "failed with status 1: no session: log in first"),
        ("sys.exit(3)", "failed with status 3: no word"),
        ("print('hello')", "answered no ExecCredential"),
        ("print('[1]')", "answered no ExecCredential"),
        (answer(), "answered no ExecCredential"),
    ],
)
def test_a_plugin_that_fails_is_told_in_one_line(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(KubeconfigError, match=words) as caught:
        headers(plugin(tmp_path, code))
    assert "\n" not in caught.value.detail


def test_a_plugin_that_is_not_there_is_told_with_its_hint() -> None:
    login = Login(plugin={"command": "no-such-plugin", "installHint": "get it\nfrom the shop"})

    with pytest.raises(KubeconfigError, match=r"'no-such-plugin' cannot be run: No such file or directory\. get it from the shop"):
        headers(login)


def test_a_token_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="cannot be read: No such file"):
        headers(Login(token_file=str(tmp_path / "none")))


def test_after_a_401_a_plugin_is_asked_anew_once(tmp_path: Path) -> None:
    code = "n = len(open('count').read()) if os.path.exists('count') else 0\nopen('count', 'a').write('x')\n"
    code = (
        code.replace("'count'", repr(str(tmp_path / "count"))) + f"print(json.dumps({CREDENTIAL!r} | {{'status': {{'token': f't{{n}}'}}}}))"
    )
    seen: list[str] = []

    def reply(request: Request) -> Reply:
        seen.append(request.headers["authorization"])
        return Reply({"gitVersion": "v1"}) if seen[-1] == "Bearer t1" else refusal(401)

    with serving(reply) as url:
        session = Session(Target("c", url, login=plugin(tmp_path, code)))
        assert Lister(session).get("/version") == {"gitVersion": "v1"}
        assert session.get("/version").status == 200
        session.close()
    assert seen == ["Bearer t0", "Bearer t1", "Bearer t1"]


def clocked(login: Login, url: str, clock: SetClock) -> Session:
    return Session(Target("c", url, login=login), Patience(now=clock.now))


def test_what_a_plugin_gives_is_asked_anew_at_its_end(tmp_path: Path) -> None:
    clock, count = SetClock(), tmp_path / "count"
    until = format_time(clock.now() + 600)
    code = f"open({str(count)!r}, 'a').write('x')\nn = len(open({str(count)!r}).read())\n"
    code += f"print(json.dumps({CREDENTIAL!r} | {{'status': {{'token': f't{{n}}', 'expirationTimestamp': {until!r}}}}}))"
    seen: list[str] = []

    def reply(request: Request) -> Reply:
        seen.append(request.headers["authorization"])
        return Reply({"gitVersion": "v1"})

    with serving(reply) as url:
        session = clocked(plugin(tmp_path, code), url, clock)
        for moment in (0, 599, 1):
            clock.moment += moment
            session.get("/version")
        session.close()
    assert seen == ["Bearer t1", "Bearer t1", "Bearer t2"]


def test_a_token_file_is_read_anew_every_minute(tmp_path: Path) -> None:
    clock, file = SetClock(), tmp_path / "token"
    seen: list[str] = []

    def reply(request: Request) -> Reply:
        seen.append(request.headers["authorization"])
        return Reply({"gitVersion": "v1"})

    with serving(reply) as url:
        session = clocked(Login(token_file=str(file)), url, clock)
        for token, seconds in (("one", 0), ("two", 59), ("three", 1)):
            file.write_text(token)
            clock.moment += seconds
            session.get("/version")
        session.close()
    assert seen == ["Bearer one", "Bearer one", "Bearer three"]


def test_a_token_file_that_was_renewed_is_read_anew_after_a_401(tmp_path: Path, api: Api) -> None:
    file = tmp_path / "token"
    file.write_text("old")

    def reply(request: Request) -> Reply:
        file.write_text("new")
        return api.answer(request) if request.headers["authorization"] == "Bearer new" else refusal(401)

    with serving(reply) as url:
        session = Session(Target("c", url, login=Login(token_file=str(file))))
        assert session.get("/version").status == 200
        session.close()
