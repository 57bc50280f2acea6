#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "quicchat/wire/message.hpp"

namespace quicchat {

/// PROTOCOL.md §7, "Life of a session". The same for both sides; a server's begins in
/// `negotiating`.
enum class State : std::uint8_t {
    connecting,      ///< The handshake is under way.
    negotiating,     ///< Hello was not answered by Welcome yet.
    authenticating,  ///< The login is under way.
    ready,           ///< The chat itself may be spoken.
    draining,        ///< A close is on its way: what comes is dropped.
    closed           ///< There is no connection any more.
};
inline constexpr std::size_t state_count = 6;  ///< For tables; as many as there are above.

/// What changes the state of a session.
enum class Input : std::uint8_t {
    connected,      ///< The transport's handshake is complete and the peer passed the trust check.
    negotiated,     ///< Hello and Welcome found a common version.
    authenticated,  ///< The login is complete, at the client: and the server proved itself.
    failed,         ///< The session cannot go on; the connection is being closed.
    close_asked,    ///< One side wants to end in peace.
    disconnected,   ///< The transport's connection is gone.
};
inline constexpr std::size_t input_count = 6;  ///< For tables; as many as there are above.

/// A row of the table.
struct Transition {
    /// In `from`, `input` leads to `to`. An input without a row is forbidden there.
    /// @{
    State from;
    Input input;
    State to;
    /// @}
};

// clang-format off
/// The table; PROTOCOL.md §7.
inline constexpr auto transitions = std::to_array<Transition>({
    {State::connecting,     Input::connected,     State::negotiating},
    {State::connecting,     Input::failed,        State::draining},
    {State::connecting,     Input::close_asked,   State::draining},
    {State::connecting,     Input::disconnected,  State::closed},

    {State::negotiating,    Input::negotiated,    State::authenticating},
    {State::negotiating,    Input::failed,        State::draining},
    {State::negotiating,    Input::close_asked,   State::draining},
    {State::negotiating,    Input::disconnected,  State::closed},

    {State::authenticating, Input::authenticated, State::ready},
    {State::authenticating, Input::failed,        State::draining},
    {State::authenticating, Input::close_asked,   State::draining},
    {State::authenticating, Input::disconnected,  State::closed},

    {State::ready,          Input::failed,        State::draining},
    {State::ready,          Input::close_asked,   State::draining},
    {State::ready,          Input::disconnected,  State::closed},

    {State::draining,       Input::failed,        State::draining},
    {State::draining,       Input::close_asked,   State::draining},
    {State::draining,       Input::disconnected,  State::closed},
});
// clang-format on

/// The state after `input`, or nothing if the protocol forbids that input here.
constexpr std::optional<State> next_state(State from, Input input) {
    for (const Transition& transition : transitions) {
        if (transition.from == from && transition.input == input) return transition.to;
    }
    return std::nullopt;
}

/// Its name as in the table, for logs and tests.
/// @{
constexpr std::string_view state_name(State state) {
    constexpr std::string_view names[] = {"connecting", "negotiating", "authenticating",
                                          "ready",      "draining",    "closed"};
    return names[static_cast<std::size_t>(state)];
}

constexpr std::string_view input_name(Input input) {
    constexpr std::string_view names[] = {"connected", "negotiated",  "authenticated",
                                          "failed",    "close_asked", "disconnected"};
    return names[static_cast<std::size_t>(input)];
}
/// @}

/// Who sends a frame, and on which kind of stream.
enum class Side : std::uint8_t { client, server };
/// The control stream, or any other one.
enum class Channel : std::uint8_t { control, room };

/// PROTOCOL.md §7, "Who may send what, and when". A frame for which there is no row closes the
/// connection with `unexpected_frame`. In `draining` everything is dropped unread instead: it may
/// have crossed our own close on the wire.
struct Permission {
    /// Who says what, and on which kind of stream.
    /// @{
    Side sender;
    Channel channel;
    FrameType type;
    /// @}

    State state;  ///< Of the receiver.
};

// clang-format off
/// The table; PROTOCOL.md §7.
inline constexpr auto permissions = std::to_array<Permission>({
    {Side::client, Channel::control, FrameType::hello,           State::negotiating},
    {Side::client, Channel::control, FrameType::login_begin,     State::authenticating},
    {Side::client, Channel::control, FrameType::login_response,  State::authenticating},
    {Side::client, Channel::control, FrameType::tell,            State::ready},
    {Side::client, Channel::control, FrameType::create_room,     State::ready},
    {Side::client, Channel::control, FrameType::rooms_request,   State::ready},
    {Side::client, Channel::control, FrameType::mark_read,       State::ready},
    {Side::client, Channel::control, FrameType::set_profile,     State::ready},
    {Side::client, Channel::room,    FrameType::join,            State::ready},
    {Side::client, Channel::room,    FrameType::publish,         State::ready},
    {Side::client, Channel::room,    FrameType::members_request, State::ready},
    {Side::client, Channel::room,    FrameType::history_request, State::ready},
    {Side::client, Channel::room,    FrameType::search_request,  State::ready},
    {Side::client, Channel::room,    FrameType::file_offer,      State::ready},
    {Side::client, Channel::room,    FrameType::file_data,       State::ready},
    {Side::client, Channel::room,    FrameType::file_request,    State::ready},

    {Side::server, Channel::control, FrameType::welcome,         State::negotiating},
    {Side::server, Channel::control, FrameType::login_challenge, State::authenticating},
    {Side::server, Channel::control, FrameType::login_done,      State::authenticating},
    {Side::server, Channel::control, FrameType::error,           State::negotiating},
    {Side::server, Channel::control, FrameType::error,           State::authenticating},
    {Side::server, Channel::control, FrameType::error,           State::ready},
    {Side::server, Channel::control, FrameType::goaway,          State::negotiating},
    {Side::server, Channel::control, FrameType::goaway,          State::authenticating},
    {Side::server, Channel::control, FrameType::goaway,          State::ready},
    {Side::server, Channel::control, FrameType::token,           State::ready},
    {Side::server, Channel::control, FrameType::ack,             State::ready},
    {Side::server, Channel::control, FrameType::told,            State::ready},
    {Side::server, Channel::control, FrameType::rooms,           State::ready},
    {Side::server, Channel::control, FrameType::marker,          State::ready},
    {Side::server, Channel::control, FrameType::profile,         State::ready},
    {Side::server, Channel::room,    FrameType::joined,          State::ready},
    {Side::server, Channel::room,    FrameType::ack,             State::ready},
    {Side::server, Channel::room,    FrameType::event,           State::ready},
    {Side::server, Channel::room,    FrameType::gap,             State::ready},
    {Side::server, Channel::room,    FrameType::members,         State::ready},
    {Side::server, Channel::room,    FrameType::presence,        State::ready},
    {Side::server, Channel::room,    FrameType::heartbeat,       State::ready},
    {Side::server, Channel::room,    FrameType::history_end,     State::ready},
    {Side::server, Channel::room,    FrameType::search_end,      State::ready},
    {Side::server, Channel::room,    FrameType::file_ready,      State::ready},
    {Side::server, Channel::room,    FrameType::file_data,       State::ready},
    {Side::server, Channel::room,    FrameType::file_head,       State::ready},
    {Side::server, Channel::room,    FrameType::error,           State::ready},
});
// clang-format on

namespace detail {

/// One bit for each sender, kind of stream and state.
constexpr std::uint32_t permission_bit(Side sender, Channel channel, State state) {
    const auto row = 2 * static_cast<std::size_t>(sender) + static_cast<std::size_t>(channel);
    return std::uint32_t{1} << (row * state_count + static_cast<std::size_t>(state));
}

/// The permissions of each type of frame, to be looked up and not searched.
inline constexpr auto permission_bits = [] {
    std::array<std::uint32_t, 0x80> bits{};
    for (const Permission& p : permissions) {
        bits.at(static_cast<std::size_t>(p.type)) |= permission_bit(p.sender, p.channel, p.state);
    }
    return bits;
}();

}  // namespace detail

/// True if `sender` may send that frame to a receiver in that state.
constexpr bool is_permitted(Side sender, Channel channel, FrameType type, State state) {
    const auto index = static_cast<std::size_t>(type);
    return index < detail::permission_bits.size() &&
           (detail::permission_bits[index] & detail::permission_bit(sender, channel, state)) != 0;
}

namespace detail {

constexpr void mark_reachable(State from, std::array<bool, state_count>& seen) {
    if (seen[static_cast<std::size_t>(from)]) return;
    seen[static_cast<std::size_t>(from)] = true;
    for (const Transition& t : transitions) {
        if (t.from == from) mark_reachable(t.to, seen);
    }
}

constexpr bool every_state_is_reachable() {
    std::array<bool, state_count> seen{};
    mark_reachable(State::connecting, seen);
    for (const bool reached : seen) {
        if (!reached) return false;
    }
    return true;
}

constexpr bool every_state_can_close() {
    for (std::size_t state = 0; state < state_count; ++state) {
        std::array<bool, state_count> seen{};
        mark_reachable(static_cast<State>(state), seen);
        if (!seen[static_cast<std::size_t>(State::closed)]) return false;
    }
    return true;
}

constexpr bool no_input_is_listed_twice() {
    for (std::size_t i = 0; i < transitions.size(); ++i) {
        for (std::size_t j = i + 1; j < transitions.size(); ++j) {
            if (transitions[i].from == transitions[j].from &&
                transitions[i].input == transitions[j].input) {
                return false;
            }
        }
    }
    return true;
}

constexpr bool nothing_leaves(State state) {
    for (const Transition& t : transitions) {
        if (t.from == state) return false;
    }
    return true;
}

/// The one way to `ready` is through `authenticated`.
constexpr bool ready_needs_a_login() {
    for (const Transition& t : transitions) {
        if (t.to == State::ready && t.input != Input::authenticated) return false;
    }
    return true;
}

/// Losing the connection ends every session that is not ended.
constexpr bool disconnected_always_closes() {
    for (std::size_t state = 0; state < state_count; ++state) {
        if (static_cast<State>(state) == State::closed) continue;
        if (next_state(static_cast<State>(state), Input::disconnected) != State::closed)
            return false;
    }
    return true;
}

/// Nothing of the chat itself may be sent before the login.
constexpr bool strangers_say_only_hello_and_login() {
    for (const Permission& p : permissions) {
        // The first frame of the chat itself is Token: those below are Hello, login and errors.
        const bool chat = p.type >= FrameType::token || p.channel == Channel::room;
        if (chat && p.state != State::ready) return false;
    }
    return true;
}

}  // namespace detail

// What the tables promise, proved whenever they are compiled.
static_assert(detail::every_state_is_reachable());
static_assert(detail::every_state_can_close());
static_assert(detail::no_input_is_listed_twice());
static_assert(detail::nothing_leaves(State::closed));
static_assert(detail::ready_needs_a_login());
static_assert(detail::disconnected_always_closes());
static_assert(detail::strangers_say_only_hello_and_login());

/// The state of one session. Moves only as the table says.
class Lifecycle {
public:
    /// `connecting` at a client, `negotiating` at a server.
    explicit constexpr Lifecycle(State initial) : state_(initial) {}

    /// The state that it is in now.
    constexpr State state() const { return state_; }

    /// False, and no change, if the table forbids `input` here.
    constexpr bool advance(Input input) {
        const std::optional<State> next = next_state(state_, input);
        if (!next) return false;
        state_ = *next;
        return true;
    }

private:
    State state_;
};

}  // namespace quicchat
