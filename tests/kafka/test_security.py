"""Tests of TLS and SASL settings: valid ones, invalid ones, and that no secret is shown."""

import subprocess
from pathlib import Path

import faust
import pytest
from faust.types.auth import AuthProtocol, SASLMechanism

from catdog_stream.errors import SettingError
from catdog_stream.kafka.rotated_secrets import RereadContext
from catdog_stream.kafka.security import Security
from catdog_stream.settings import Settings

SECRET = "correct horse battery staple"
SASL = {
    "CATDOG_SECURITY": "sasl_plaintext",
    "CATDOG_SASL_MECHANISM": "SCRAM-SHA-512",
    "CATDOG_SASL_USERNAME": "alice",
    "CATDOG_SASL_PASSWORD": SECRET,
}


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a certificate, its key, another key, and the key with a passphrase."""
    folder = tmp_path_factory.mktemp("pem")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    for name in ("own", "other"):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        _openssl(folder, "req", "-x509", *key, "-nodes", "-subj", "/CN=test", *files)
    _openssl(
        folder, *("pkey", "-in", "own.key", "-aes256", "-passout", "pass:x", "-out", "locked.key")
    )
    return folder


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def test_without_settings_there_are_no_credentials() -> None:
    security = Security.from_environment({"CATDOG_SECURITY": " ", "CATDOG_SASL_USERNAME": ""})
    assert security == Security()
    assert security.credentials() is None


@pytest.mark.parametrize("spelling", ["SASL_PLAINTEXT", "sasl_plaintext", " Sasl_Plaintext "])
def test_names_are_kafkas_in_any_case(spelling: str) -> None:
    credentials = Security.from_environment(
        {**SASL, "CATDOG_SECURITY": spelling, "CATDOG_SASL_MECHANISM": "scram-sha-512"}
    ).credentials()
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.protocol is AuthProtocol.SASL_PLAINTEXT
    assert credentials.mechanism is SASLMechanism.SCRAM_SHA_512
    assert (credentials.username, credentials.password) == ("alice", SECRET)
    assert credentials.ssl_context is None


def test_sasl_over_tls_checks_the_broker(pem: Path) -> None:
    credentials = Security.from_environment(
        {**SASL, "CATDOG_SECURITY": "SASL_SSL", "CATDOG_TLS_CA_FILE": str(pem / "own.pem")}
    ).credentials()
    assert isinstance(credentials, faust.SASLCredentials)
    assert credentials.protocol is AuthProtocol.SASL_SSL
    assert credentials.ssl_context is not None
    assert credentials.ssl_context.check_hostname
    assert isinstance(credentials.ssl_context, RereadContext)
    assert credentials.ssl_context._current().cert_store_stats()["x509"] == 1


def test_tls_with_the_systems_authorities_and_a_certificate_of_our_own(pem: Path) -> None:
    credentials = Security.from_environment(
        {
            "CATDOG_SECURITY": "ssl",
            "CATDOG_TLS_CERT_FILE": str(pem / "own.pem"),
            "CATDOG_TLS_KEY_FILE": str(pem / "own.key"),
        }
    ).credentials()
    assert isinstance(credentials, faust.SSLCredentials)
    assert credentials.context.check_hostname


def test_a_password_can_come_from_a_mounted_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    environment = {**SASL, "CATDOG_SASL_PASSWORD": "", "CATDOG_SASL_PASSWORD_FILE": str(file)}
    assert Security.from_environment(environment).password == SECRET


def test_no_text_of_ours_shows_the_password() -> None:
    settings = Settings.from_environment(SASL)
    credentials = settings.security.credentials()
    assert SECRET not in f"{settings!r} {settings} {credentials!r} {credentials}"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"CATDOG_SECURITY": "tls"},
            "CATDOG_SECURITY='tls' cannot be used: "
            "it must be one of plaintext, ssl, sasl_plaintext, sasl_ssl.",
        ),
        (
            {"CATDOG_SECURITY": ""},
            "CATDOG_SASL_MECHANISM is set, "
            "but only CATDOG_SECURITY=sasl_plaintext or sasl_ssl uses it.",
        ),
        (
            {"CATDOG_TLS_CA_FILE": "ca.pem"},
            "CATDOG_TLS_CA_FILE is set, but only CATDOG_SECURITY=ssl or sasl_ssl uses it.",
        ),
        (
            {"CATDOG_SASL_MECHANISM": "GSSAPI"},
            "CATDOG_SASL_MECHANISM='GSSAPI' cannot be used: "
            "it must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER.",
        ),
        (
            {"CATDOG_SASL_MECHANISM": ""},
            "CATDOG_SECURITY=sasl_plaintext needs CATDOG_SASL_MECHANISM.",
        ),
        (
            {"CATDOG_SASL_USERNAME": ""},
            "CATDOG_SECURITY=sasl_plaintext needs CATDOG_SASL_USERNAME.",
        ),
        (
            {"CATDOG_SASL_PASSWORD": ""},
            "CATDOG_SECURITY=sasl_plaintext needs "
            "CATDOG_SASL_PASSWORD or CATDOG_SASL_PASSWORD_FILE.",
        ),
        (
            {"CATDOG_SASL_PASSWORD_FILE": "secret"},
            "Set CATDOG_SASL_PASSWORD or CATDOG_SASL_PASSWORD_FILE, not both.",
        ),
        (
            {"CATDOG_SASL_PASSWORD": "", "CATDOG_SASL_PASSWORD_FILE": "/nowhere"},
            "CATDOG_SASL_PASSWORD_FILE=/nowhere cannot be used: No such file or directory.",
        ),
        (
            {"CATDOG_SASL_PASSWORD": "", "CATDOG_SASL_PASSWORD_FILE": "/dev/null"},
            "CATDOG_SASL_PASSWORD_FILE=/dev/null holds no password.",
        ),
    ],
)
def test_a_combination_that_cannot_be_used_is_one_sentence(
    changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environment({**SASL, **changed})
    assert str(caught.value) == sentence


OAUTH = {
    "CATDOG_SECURITY": "sasl_ssl",
    "CATDOG_SASL_MECHANISM": "OAUTHBEARER",
    "CATDOG_OAUTH_TOKEN_URL": "https://provider.example/token",
    "CATDOG_OAUTH_CLIENT_ID": "catdog",
    "CATDOG_OAUTH_CLIENT_SECRET": SECRET,
}


def test_oauth_over_tls_with_extensions(pem: Path) -> None:
    environment = {
        **OAUTH,
        "CATDOG_TLS_CA_FILE": str(pem / "own.pem"),
        "CATDOG_OAUTH_EXTENSIONS": "logicalCluster=lkc-1, identityPoolId=pool=2",
    }
    settings = Settings.from_environment(environment)
    connection = settings.cluster.connection
    assert connection["security_protocol"] == "SASL_SSL"
    assert connection["sasl_mechanism"] == "OAUTHBEARER"
    tokens = connection["sasl_oauth_token_provider"]
    assert tokens.extensions() == {"logicalCluster": "lkc-1", "identityPoolId": "pool=2"}
    assert settings.security.credentials().oauth_cb is tokens  # type: ignore[union-attr]
    assert SECRET not in f"{settings!r} {settings}"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"CATDOG_OAUTH_TOKEN_URL": ""},
            "CATDOG_SASL_MECHANISM=OAUTHBEARER needs one of CATDOG_OAUTH_TOKEN_URL, "
            "CATDOG_OAUTH_TOKEN_FILE, CATDOG_OAUTH_AWS_REGION.",
        ),
        (
            {"CATDOG_OAUTH_TOKEN_FILE": "token"},
            "CATDOG_SASL_MECHANISM=OAUTHBEARER needs one of CATDOG_OAUTH_TOKEN_URL, "
            "CATDOG_OAUTH_TOKEN_FILE, CATDOG_OAUTH_AWS_REGION.",
        ),
        (
            {"CATDOG_OAUTH_TOKEN_URL": "", "CATDOG_OAUTH_TOKEN_FILE": "token"},
            "CATDOG_OAUTH_CLIENT_ID is set, but only CATDOG_OAUTH_TOKEN_URL uses it.",
        ),
        (
            {"CATDOG_OAUTH_TOKEN_URL": "provider/token"},
            "CATDOG_OAUTH_TOKEN_URL cannot be used: it must be https://HOST/PATH in ASCII, "
            "without a user name.",
        ),
        (
            {"CATDOG_OAUTH_CLIENT_ID": ""},
            "CATDOG_OAUTH_TOKEN_URL needs CATDOG_OAUTH_CLIENT_ID.",
        ),
        (
            {"CATDOG_OAUTH_CLIENT_SECRET": ""},
            "CATDOG_OAUTH_TOKEN_URL needs "
            "CATDOG_OAUTH_CLIENT_SECRET or CATDOG_OAUTH_CLIENT_SECRET_FILE.",
        ),
        (
            {"CATDOG_OAUTH_EXTENSIONS": "logicalCluster"},
            "CATDOG_OAUTH_EXTENSIONS='logicalCluster' cannot be used: "
            "it must be name=value,name=value.",
        ),
        (
            {"CATDOG_SASL_USERNAME": "alice"},
            "CATDOG_SASL_USERNAME is set, but only CATDOG_SASL_MECHANISM=PLAIN or SCRAM uses it.",
        ),
        (
            {"CATDOG_SASL_MECHANISM": "PLAIN"},
            "CATDOG_OAUTH_TOKEN_URL is set, but only CATDOG_SASL_MECHANISM=OAUTHBEARER uses it.",
        ),
    ],
)
def test_a_combination_for_oauth_that_cannot_be_used_is_one_sentence(
    changed: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.from_environment({**OAUTH, **changed})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "url",
    [
        "https://user:sesame@provider.example/token",
        "https://[::1/token",
        "https://provider.example:port/token",
        "https://provider.example/t oken",
        "https://provider.example/töken",
    ],
)
def test_an_address_of_a_token_endpoint_that_cannot_be_used_is_not_shown(url: str) -> None:
    with pytest.raises(SettingError, match=r"^CATDOG_OAUTH_TOKEN_URL cannot be used: ") as caught:
        Settings.from_environment({**OAUTH, "CATDOG_OAUTH_TOKEN_URL": url})
    assert "sesame" not in str(caught.value)


def test_a_password_file_that_is_no_text_is_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"sesame\xff")
    environment = {**SASL, "CATDOG_SASL_PASSWORD": "", "CATDOG_SASL_PASSWORD_FILE": str(file)}
    with pytest.raises(SettingError, match=r"is not UTF-8 text\.$") as caught:
        Security.from_environment(environment)
    assert caught.value.__cause__ is None
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"CA": "nowhere"}, "CATDOG_TLS_CA_FILE={}/nowhere cannot be used: No such file or direct"),
        ({"CA": "own.key"}, "CATDOG_TLS_CA_FILE={}/own.key cannot be used: it is not PEM"),
        ({"KEY": "own.key"}, "CATDOG_TLS_KEY_FILE needs CATDOG_TLS_CERT_FILE."),
        ({"CERT": "own.pem"}, "CATDOG_TLS_CERT_FILE={}/own.pem cannot be used: it is not PEM"),
        (
            {"CERT": "own.pem", "KEY": "other.key"},
            "CATDOG_TLS_CERT_FILE with CATDOG_TLS_KEY_FILE={}/other.key cannot be used: "
            "key and certificate do not belong together.",
        ),
        (
            {"CERT": "own.pem", "KEY": "locked.key"},
            "CATDOG_TLS_CERT_FILE with CATDOG_TLS_KEY_FILE={}/locked.key cannot be used: it is",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    pem: Path, files: dict[str, str], sentence: str
) -> None:
    environment = {f"CATDOG_TLS_{name}_FILE": str(pem / file) for name, file in files.items()}
    with pytest.raises(SettingError) as caught:
        Security.from_environment({"CATDOG_SECURITY": "ssl", **environment}).credentials()
    assert str(caught.value).startswith(sentence.format(pem))
