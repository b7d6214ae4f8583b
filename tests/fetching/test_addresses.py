"""Tests of the text in the field for an address."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from catdog_stream.errors import FetchError
from catdog_stream.fetching.addresses import MAX_CHARACTERS, led_on, typed
from catdog_stream.fetching.public import is_public
from catdog_stream.fetching.rules import Rules
from catdog_stream.settings.allowed_hosts import AllowedHost

HTTPS = Rules("on")
BOTH = Rules("http")


def refusal(text: str, rules: Rules = HTTPS) -> str:
    with pytest.raises(FetchError) as refused:
        typed(text, rules)
    return refused.value.message


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.org/cat.png", "https://example.org/cat.png"),
        ("  https://example.org/cat.png\n", "https://example.org/cat.png"),
        ("catdog:https://example.org/cat.png", "https://example.org/cat.png"),
        ("CatDog: https://example.org/", "https://example.org/"),
        ("HTTPS://Example.ORG", "https://example.org"),
        ("https://example.org:443/a?b=c&d#e", "https://example.org/a?b=c&d"),
        ("https://example.org./", "https://example.org/"),
        ("https://example.org/my cat.png", "https://example.org/my%20cat.png"),
        ("https://example.org/my%20cat.png?a=%2F", "https://example.org/my%20cat.png?a=%2F"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://134744072/", "https://8.8.8.8/"),
        ("https://0x08080808/", "https://8.8.8.8/"),
        ("https://010.010.010.010/", "https://8.8.8.8/"),
        ("https://8.8.2056/", "https://8.8.8.8/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
        ("https://my_host.example/", "https://my_host.example/"),
        ("https://localhost/", "https://localhost/"),  # refused when it is resolved
    ],
)
def test_what_is_read(text: str, url: str) -> None:
    assert str(typed(text, HTTPS)) == url


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is no address."),
        (" catdog: ", "There is no address."),
        ("example.org/cat.png", "The address must begin with https://."),
        ("http://example.org/", "The address must begin with https://."),
        ("file:///etc/passwd", "The address must begin with https://."),
        ("catdog:file:///etc/passwd", "The address must begin with https://."),
        ("catdog:catdog:https://example.org/", "The address must begin with https://."),
        ("ftp://example.org/", "The address must begin with https://."),
        ("data:image/png;base64,AAAA", "The address must begin with https://."),
        ("javascript:alert(1)", "The address must begin with https://."),
        ("//example.org/", "The address must begin with https://."),
        ("https:", "The address has no host that can be read."),
        ("https://", "The address has no host that can be read."),
        ("https:///cat.png", "The address has no host that can be read."),
        ("https://a..b/", "The address has no host that can be read."),
        ("https://-.%2e/", "The address has no host that can be read."),
        ("https://a b/", "The address has no host that can be read."),
        (f"https://{'a' * 64}.org/", "The address has no host that can be read."),
        (f"https://{'a.' * 127}org/", "The address has no host that can be read."),
        ("https://256.1.1.1/", "The address has no host that can be read."),
        ("https://1.1.1.1.1/", "The address has no host that can be read."),
        ("https://4294967296/", "The address has no host that can be read."),
        ("https://08.8.8.8/", "The address has no host that can be read."),
        ("https://example.1/", "The address has no host that can be read."),
        (f"https://{'9' * 4000}/", "The address has no host that can be read."),
        ("https://[fe80::1%25eth0]/", "The address has no host that can be read."),
        ("https://[fe80::1%eth0]/", "The address has no host that can be read."),
        ("https://[::1/", "The address cannot be read."),
        ("https://[1.2.3.4]/", "The address cannot be read."),
        ("https://[]@", "The address cannot be read."),
        ("https://good.example\\@evil.example/", "The address cannot be read."),
        ("https://example.org:99999/", "The address cannot be read."),
        ("https://example.org:x/", "The address cannot be read."),
        ("https://me@example.org/", "The address must not hold a user name or a password."),
        ("https://me:pw@example.org/", "The address must not hold a user name or a password."),
        ("https://:pw@example.org/", "The address must not hold a user name or a password."),
        (
            "https://example.org:22/",
            "The address must be on the usual port of its scheme, not on 22.",
        ),
        (
            "https://example.org:0/",
            "The address must be on the usual port of its scheme, not on 0.",
        ),
        (
            "https://example.org:80/",
            "The address must be on the usual port of its scheme, not on 80.",
        ),
        ("https://example.org/\0", "The address holds characters that cannot be seen."),
        ("https://example.org/\r\nHost: x", "The address holds characters that cannot be seen."),
        ("https://exam\u200bple.org/", "The address holds characters that cannot be seen."),
        ("https://example.org/\ud800", "The address holds characters that cannot be seen."),
        ("https://example.org/" + "a" * 5000, "The address has more than 4096 characters."),
    ],
)
def test_what_is_refused_and_why(text: str, sentence: str) -> None:
    assert refusal(text) == sentence


NOT_PUBLIC = "The address is not on the public internet, or there is no such host."


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7F.0x0.0x0.0x1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "\uff11\uff12\uff17.0.0.1",
        "0",
        "0x",
        "10.0.0.1",
        "192.168.1",
        "169.254.169.254",
        "2852039166",
        "100.64.0.1",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:a9fe:a9fe]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
        "[fe80::1]",
    ],
)
def test_an_address_that_is_not_public_is_refused_in_every_disguise(host: str) -> None:
    assert refusal(f"https://{host}/latest/meta-data/") == NOT_PUBLIC


def test_plain_http_is_read_where_a_setting_says_so() -> None:
    assert str(typed("http://example.org/", BOTH)) == "http://example.org/"
    assert str(typed("http://example.org:80/", BOTH)) == "http://example.org/"
    assert refusal("http://example.org:443/", BOTH).endswith("not on 443.")
    assert refusal("ftp://example.org/", BOTH) == (
        "The address must begin with https:// or http://."
    )


def test_another_port_and_a_private_address_are_read_where_a_setting_says_so() -> None:
    rules = Rules("on", [AllowedHost.parse("127.0.0.1:8443")])
    assert str(typed("https://127.1:8443/", rules)) == "https://127.0.0.1:8443/"
    assert refusal("https://127.0.0.1/", rules) == NOT_PUBLIC
    assert refusal("https://127.0.0.2:8443/", rules) == NOT_PUBLIC
    assert refusal("https://8.8.8.8:8443/", rules) == NOT_PUBLIC


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/cat.png", "https://example.org/cat.png"),
        ("cat.png?x", "https://example.org/a/cat.png?x"),
        ("//other.example/", "https://other.example/"),
        ("https://other.example/ü", "https://other.example/%C3%BC"),
        ("#top", "https://example.org/a/b"),
    ],
)
def test_where_it_leads_on_to(location: str, url: str) -> None:
    assert str(led_on(URL("https://example.org/a/b"), location, HTTPS)) == url


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("http://example.org/", "The address that it leads to must begin with https://."),
        ("file:///etc/passwd", "The address that it leads to must begin with https://."),
        ("catdog:https://example.org/", "The address that it leads to must begin with https://."),
        ("https://[::1", "The address that it leads to cannot be read."),
        (
            "https://10.0.0.1/",
            "The address that it leads to is not on the public internet, or there is no such host.",
        ),
    ],
)
def test_the_same_holds_there(location: str, sentence: str) -> None:
    with pytest.raises(FetchError) as refused:
        led_on(URL("https://example.org/a/b"), location, HTTPS)
    assert refused.value.message == sentence


hosts = st.one_of(
    st.ip_addresses().map(lambda ip: f"[{ip}]" if ip.version == 6 else str(ip)),
    st.integers(0, 2**33).map(str),
    st.integers(0, 2**33).map(hex),
    st.integers(0, 2**33).map(lambda number: f"0{number:o}"),
    st.lists(st.integers(0, 300).map(hex) | st.integers(0, 300).map(str)).map(".".join),
    st.text("0123456789abcdefx.:%[]-_", max_size=20),
    st.text(max_size=20),
)
texts = st.text() | st.builds(
    lambda prefix, scheme, host, rest: f"{prefix}{scheme}://{host}{rest}",
    st.sampled_from(["", " ", "catdog:"]),
    st.sampled_from(["https", "http", "HTTPS", "file", ""]),
    hosts,
    st.sampled_from(["", "/", ":443/", ":80", ":8443/"]) | st.text(max_size=10),
)


@given(texts, st.sampled_from([HTTPS, BOTH]))
def test_whatever_is_typed_is_refused_or_safe(text: str, rules: Rules) -> None:
    try:
        url = typed(text, rules)
    except FetchError as error:
        assert error.message.endswith(".")  # noqa: PT017, either is right
        return
    _assert_safe(url, rules)


@given(texts, st.sampled_from([HTTPS, BOTH]))
def test_wherever_it_leads_it_is_refused_or_safe(text: str, rules: Rules) -> None:
    try:
        url = led_on(URL("https://example.org/a/b"), text, rules)
    except FetchError:
        return
    _assert_safe(url, rules)


def _assert_safe(url: URL, rules: Rules) -> None:
    host = url.raw_host
    assert url.scheme in rules.schemes
    assert url.is_default_port()
    assert url.raw_user is None
    assert url.raw_password is None
    assert len(str(url)) <= 4 * 3 * MAX_CHARACTERS
    assert host
    assert host == host.lower()
    assert host.isascii()
    # Parsing the result again gives the same result.
    assert str(typed(str(url), rules)) == str(url)
    try:
        address = ip_address(host)
    except ValueError:
        assert not host.rpartition(".")[2].isdigit()
    else:
        assert is_public(address)
