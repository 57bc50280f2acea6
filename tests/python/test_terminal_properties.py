"""Whatever a peer says, a terminal sees harmless text, in lines that are nobody else's."""

import sys
from pathlib import Path

import quicchat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quicchat import terminal
from quicchat.cli._show import Lines
from quicchat.server import describe

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import _terminal as t  # noqa: E402

settings.register_profile("terminal", deadline=None, database=None,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("terminal")

# Any text; texts of the corpus in any order and with anything between them; and what the cleaner
# treats in a way of its own, close together.
_SPECIAL = ("\u200c\u200d\ufe0e\ufe0f\U000e0100\u180b\u0301\u0e47\u20dd\u2764\u2139"
            "\u65e51#aA >\t\n\x1b\x9b")
_ANY = st.text(alphabet=st.characters(codec=None))
_EVIL = st.lists(_ANY | st.sampled_from([text for text, _ in t.corpus().values()]),
                 max_size=4).map("".join)
TEXT = _ANY | _EVIL | st.text(alphabet=st.sampled_from(_SPECIAL))
EVENTS = st.sampled_from(t.event_classes())
ERRORS = st.sampled_from(t.error_classes())


@given(TEXT)
def test_a_line_is_harmless_and_one_line(text):
    line = quicchat.clean_line(text)
    assert t.problem(line) == ""
    assert len(line.splitlines()) <= 1
    line.encode()


@given(TEXT)
def test_a_text_has_no_control_but_tab_and_newline(text):
    shown = quicchat.clean_text(text)
    assert t.problem(shown.replace("\t", " "), lines=True) == ""
    assert shown.count("\n") == text.count("\n") and shown.count("\t") == text.count("\t")


@given(TEXT)
def test_cleaning_twice_changes_nothing(text):
    for clean in (quicchat.clean_line, quicchat.clean_text):
        assert clean(clean(text)) == clean(text)


@given(TEXT, TEXT)
def test_clean_text_stays_clean_when_it_grows(one, two):
    for shown in (quicchat.clean_line(one) + two, one + quicchat.clean_line(two)):
        assert isinstance(shown, terminal.Clean)
        assert t.problem(shown) == ""


@given(TEXT)
def test_growth_is_bounded(text):
    assert len(quicchat.clean_line(text)) <= 9 * len(text)
    assert len(terminal.clean_body(text)) <= 9 * len(text)


@given(TEXT)
def test_no_line_of_a_text_can_be_another_persons(text):
    assert t.fakes_a_line(terminal.clean_body(text)) == ""


@given(TEXT, st.booleans())
def test_show_prints_one_harmless_line_of_what_is_not_clean(text, coloured):
    with t.shown(coloured) as output:
        terminal.show(text)
    line, end = output.getvalue()[:-1], output.getvalue()[-1:]
    assert t.problem(line) == "" and end == "\n"


@given(EVENTS, TEXT, st.data())
def test_any_event_is_shown_in_harmless_lines(cls, text, data):
    lines = Lines(t.ME)
    lines.wishes.typing = lines.wishes.markers = True
    lines.remember(t.instances(quicchat.Message, text)[0])
    event = data.draw(st.sampled_from(t.instances(cls, text)))
    shown = [lines.line(event)]
    if isinstance(event, quicchat.RoomRecord):
        shown.append(lines.record(event, numbered=True, times=True))
    for line in shown:
        assert t.problem(line.replace("\t", " "), lines=True) == ""
        assert t.fakes_a_line(line) == ""
    if isinstance(event, quicchat.ServerEvent):
        assert t.problem(describe(event)) == ""


@given(ERRORS, TEXT)
def test_any_error_is_explained_in_harmless_words(cls, text):
    words = quicchat.explain(t.error_of(cls, text))
    assert t.problem(words, lines=True) == ""
    assert all(line.startswith("  ") for line in words.split("\n")[1:])
