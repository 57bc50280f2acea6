"""Whatever comes in: no crash, and words instead of tracebacks."""

import json

import pytest
import quicchat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quicchat.cli._show import clock
from quicchat.records import time_of
from quicchat.terminal import normalized_password

# Time is no property: the machine may be busy with other things.
settings.register_profile("quicchat", deadline=None, database=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quicchat")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_clean_text_keeps_plain_text(text):
    assert quicchat.clean_text(text) == text


@given(st.text())
def test_a_normalized_password_stays_as_it_is(password):
    once = normalized_password(password)
    assert normalized_password(once) == once


@given(st.integers(0, (1 << 62) - 1))
def test_any_time_that_a_server_says_is_a_time(milliseconds):
    time = time_of(milliseconds)
    assert time.tzinfo is not None
    assert clock(time)  # also where the calendar of a time zone ends


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("config")


def load(folder, data):
    path = folder / "config.json"
    path.write_bytes(data)
    try:
        return quicchat.load_config(path)
    except quicchat.ConfigError as error:
        words = quicchat.explain(error)
        assert words.startswith("quicchat: config.json")
        assert words.isprintable() or "\n" in words
        return None


@given(data=st.binary())
def test_any_bytes_as_a_configuration(folder, data):
    assert load(folder, data) is None


KEYS = ["host", "port", "certfile", "keyfile", "auth", "rooms", "operators",
        "anybody_makes_rooms", "limits", "username", "password",
        "users", "iterations", "verifier", "version", "hots"]


@given(value=st.dictionaries(st.sampled_from(KEYS), JSON | st.dictionaries(
    st.sampled_from(KEYS), JSON)))
def test_any_json_as_a_configuration(folder, value):
    load(folder, json.dumps(value).encode())
