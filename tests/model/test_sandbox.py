"""What is wished for an agent, what is decided, and which paths a sandbox shows."""

import pytest

from gitcmat.errors import NotFound
from gitcmat.model.hosts import Host, may_lead_to
from gitcmat.model.outlook import Access, Outlook
from gitcmat.model.sandbox import Box, Network, SandboxMode, SandboxWish, decide

NONE = "bubblewrap is not installed"
AUTO, OFF, BWRAP = SandboxMode.AUTO, SandboxMode.OFF, SandboxMode.BWRAP


@pytest.mark.parametrize(
    ("wish", "usual", "why_not", "decided"),
    [
        (None, AUTO, "", Box(mode=BWRAP)),
        (None, AUTO, NONE, Box(why=NONE)),
        (None, OFF, "", Box()),
        (None, BWRAP, "", Box(mode=BWRAP)),
        (SandboxWish(mode=OFF), BWRAP, "", Box()),
        (SandboxWish(mode=AUTO), OFF, NONE, Box(why=NONE)),
        (SandboxWish(mode=AUTO), OFF, "", Box(mode=BWRAP)),
        (SandboxWish(), OFF, "", Box(mode=BWRAP)),
        (SandboxWish(read=("~/x",)), OFF, NONE, Box(why=NONE)),
        (
            SandboxWish(network=Network.MODEL, hosts=("a.example",), write=("/srv/x",)),
            OFF,
            "",
            Box(mode=BWRAP, network=Network.MODEL, hosts=("a.example",), write=("/srv/x",)),
        ),
    ],
)
def test_the_profile_decides_before_the_settings_and_both_before_the_machine(
    wish: SandboxWish | None, usual: SandboxMode, why_not: str, decided: Box
) -> None:
    assert decide(wish, usual=usual, why_not=why_not) == decided


@pytest.mark.parametrize(
    ("wish", "usual"),
    [
        (SandboxWish(mode=BWRAP), OFF),
        (None, BWRAP),
        (SandboxWish(network=Network.NONE), AUTO),
        (SandboxWish(network=Network.MODEL, hosts=("a.example",)), AUTO),
    ],
)
def test_what_was_asked_for_by_name_is_never_left_out_in_silence(
    wish: SandboxWish | None, usual: SandboxMode
) -> None:
    with pytest.raises(NotFound) as caught:
        decide(wish, usual=usual, why_not=NONE)
    assert (caught.value.message, caught.value.hint) == (
        "The agent is to work in a sandbox, and there is none: bubblewrap is not installed.",
        "install bubblewrap (apt install bubblewrap), or write sandbox: off",
    )


def test_a_box_is_said_on_one_line() -> None:
    assert Box().text == "off"
    assert Box(why=NONE).text == "off, bubblewrap is not installed"
    assert Box(mode=BWRAP, network=Network.MODEL).text == "bwrap, network model"


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"hosts": ("a.example",)}, "hosts go with network: model"),
        ({"mode": OFF, "read": ("/x",)}, "mode: off leaves nothing to say"),
        ({"read": ("x",)}, "'x' is not a whole path: write it from / or ~/"),
        ({"write": ("/a/../etc",)}, "'/a/../etc' is not a whole path: write it from / or ~/"),
        ({"write": ("~pat/x",)}, "'~pat/x' is not a whole path: write it from / or ~/"),
        (
            {"network": Network.MODEL, "hosts": ("*.example",)},
            "'*.example' is not the name of a host: write name or name:port",
        ),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(wish: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        SandboxWish(**wish)  # type: ignore[arg-type]
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("api.example.com", Host("api.example.com", 443)),
        ("API.Example.com.:8443", Host("api.example.com", 8443)),
        ("localhost:11434", Host("localhost", 11434)),
        ("10.0.0.5", Host("10.0.0.5", 443)),
        ("127.0.0.1:80", Host("127.0.0.1", 80)),
        ("[::1]:80", Host("::1", 80)),
        ("[2001:DB8::1]", Host("2001:db8::1", 443)),
        ("2001:db8::1", Host("2001:db8::1", 443)),
    ],
)
def test_hosts_are_read_as_they_are_written(text: str, host: Host) -> None:
    assert Host.parse(text) == host
    assert Host.parse(str(host)) == host


_NO_HOSTS = (
    ":443 a:0 a:65536 a:x a: a.example/x https://a *.a [::1 -a 0x7f.1 2130706433 127.1 user@a "
    "fe80::1%eth0 [a]:1 a..b a:٣"
)


@pytest.mark.parametrize("text", ["", "a b", "a\r\nb", *_NO_HOSTS.split()])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|has no port"):
        Host.parse(text)


_INNER = (
    "127.0.0.1 10.1.2.3 192.168.0.1 172.16.0.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 "
    "255.255.255.255 198.18.0.1 192.0.2.1 ::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1 fec0::1 "
    "::ffff:127.0.0.1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:7f00:1:: 2001:0:a9fe:a9fe::1"
)


@pytest.mark.parametrize("address", _INNER.split())
def test_no_name_leads_into_the_machine_or_its_network(address: str) -> None:
    assert not may_lead_to(address, [Host("a.example")])
    assert may_lead_to(
        address, [Host("a.example"), Host.parse(f"[{address}]" if ":" in address else address)]
    )


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "160.79.104.10", "2606:4700::1111", "::ffff:1.1.1.1"]
)
def test_a_name_may_lead_to_the_world(address: str) -> None:
    assert may_lead_to(address, [])


def test_localhost_leads_to_this_machine_and_nowhere_else() -> None:
    named = [Host("localhost", 80)]
    assert may_lead_to("127.0.0.1", named)
    assert may_lead_to("::1", named)
    assert not may_lead_to("10.0.0.1", named)


def test_the_deepest_rule_wins_and_needless_ones_are_left_out() -> None:
    look = Outlook()
    for path, access in (
        ("/home/pat/work", Access.WRITE),
        ("/home", Access.HIDDEN),
        ("/home/pat", Access.READ),
        ("/home/pat-2", Access.HIDDEN),
        ("/home/pat/.ssh", Access.HIDDEN),
        ("/home/pat/.ssh/keys", Access.HIDDEN),
        ("/home/pat/.cache", Access.OWN),
        ("/home/pat/.cache/x", Access.OWN),
        ("/usr", Access.READ),
    ):
        look.say(path, access)
    assert look.of("/home/pat/notes") is Access.READ
    assert look.of("/home/pat/.ssh/keys/id") is Access.HIDDEN
    assert look.of("/home/eve") is Access.HIDDEN
    assert look.of("/opt") is Access.READ
    assert list(look.steps()) == [
        ("/home", Access.HIDDEN),
        ("/home/pat", Access.READ),
        ("/home/pat/.cache", Access.OWN),
        ("/home/pat/.cache/x", Access.OWN),
        ("/home/pat/.ssh", Access.HIDDEN),
        ("/home/pat/work", Access.WRITE),
    ]


def test_what_is_shown_again_is_never_the_whole_of_a_hidden_place() -> None:
    look = Outlook()
    look.say("/tmp", Access.OWN)  # noqa: S108 - a path in a rule
    look.say("/srv/w", Access.WRITE)
    for path in ("/tmp", "/tmp/x/bin", "/srv/w/bin", "/usr/bin"):  # noqa: S108
        look.show(path)
    assert dict(look.steps()) == {
        "/tmp": Access.OWN,  # noqa: S108
        "/tmp/x/bin": Access.READ,  # noqa: S108
        "/srv/w": Access.WRITE,
    }
