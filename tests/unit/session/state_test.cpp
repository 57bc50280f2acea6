#include <cstddef>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <tuple>

#include <catch2/catch_test_macros.hpp>

#include "quicchat/session/state.hpp"
#include "tests_dir.hpp"

using namespace quicchat;

namespace {

/// The table as a picture: `dot -Tsvg tests/vectors/session_states.dot`.
std::string as_graphviz() {
    std::string text = "digraph session_states {\n";
    for (const Transition& t : transitions) {
        text += "    " + std::string{state_name(t.from)} + " -> " + std::string{state_name(t.to)} +
                " [label=\"" + std::string{input_name(t.input)} + "\"];\n";
    }
    return text + "}\n";
}

std::string read_file(const std::string& path) {
    std::ifstream file{path};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

using Key = std::tuple<Side, Channel, FrameType, State>;

/// PROTOCOL.md §7, "Who may send what, and when", typed in from there.
std::set<Key> permitted_by_the_protocol() {
    using enum FrameType;
    std::set<Key> keys;
    const auto allow = [&](Side side, Channel channel, State state,
                           std::initializer_list<FrameType> types) {
        for (const FrameType type : types) keys.insert({side, channel, type, state});
    };
    allow(Side::client, Channel::control, State::negotiating, {hello});
    allow(Side::client, Channel::control, State::authenticating, {login_begin, login_response});
    allow(Side::client, Channel::control, State::ready,
          {tell, create_room, rooms_request, mark_read, set_profile});
    allow(Side::client, Channel::room, State::ready,
          {join, publish, members_request, history_request, search_request, file_offer, file_data,
           file_request});
    allow(Side::server, Channel::control, State::negotiating, {welcome, error, goaway});
    allow(Side::server, Channel::control, State::authenticating,
          {login_challenge, login_done, error, goaway});
    allow(Side::server, Channel::control, State::ready,
          {ack, told, token, rooms, marker, profile, error, goaway});
    allow(Side::server, Channel::room, State::ready,
          {joined, ack, event, gap, members, presence, heartbeat, history_end, search_end,
           file_ready, file_data, file_head, error});
    return keys;
}

}  // namespace

TEST_CASE("the table of states is the picture in tests/vectors/session_states.dot", "[session]") {
    CHECK(as_graphviz() == read_file(QUICCHAT_TESTS_DIR "/vectors/session_states.dot"));
}

TEST_CASE("a lifecycle moves as the table says, and stays where it says nothing", "[session]") {
    for (std::size_t s = 0; s < state_count; ++s) {
        for (std::size_t i = 0; i < input_count; ++i) {
            const auto state = static_cast<State>(s);
            const auto input = static_cast<Input>(i);
            INFO(state_name(state) << " + " << input_name(input));
            Lifecycle lifecycle{state};
            const std::optional<State> next = next_state(state, input);
            CHECK(lifecycle.advance(input) == next.has_value());
            CHECK(lifecycle.state() == next.value_or(state));
        }
    }
}

TEST_CASE("the inputs that every state knows", "[session]") {
    for (std::size_t s = 0; s < state_count; ++s) {
        const auto state = static_cast<State>(s);
        const bool closed = state == State::closed;
        INFO(state_name(state));
        CHECK(next_state(state, Input::disconnected).has_value() != closed);
        // Whoever gives up must not be asked to go on.
        for (const Input input : {Input::failed, Input::close_asked}) {
            if (!closed) CHECK(next_state(state, input) == State::draining);
        }
    }
}

TEST_CASE("the permissions are those of PROTOCOL.md §7, and no others", "[session]") {
    const std::set<Key> expected = permitted_by_the_protocol();
    CHECK(permissions.size() == expected.size());
    for (const Side side : {Side::client, Side::server}) {
        for (const Channel channel : {Channel::control, Channel::room}) {
            for (std::uint64_t type = 0; type < 0x80; ++type) {
                for (std::size_t s = 0; s < state_count; ++s) {
                    const Key key{side, channel, static_cast<FrameType>(type),
                                  static_cast<State>(s)};
                    INFO("side " << static_cast<int>(side) << " channel "
                                 << static_cast<int>(channel) << " type " << type << " state "
                                 << state_name(static_cast<State>(s)));
                    CHECK(is_permitted(side, channel, static_cast<FrameType>(type),
                                       static_cast<State>(s)) == (expected.count(key) != 0));
                }
            }
        }
    }
}
