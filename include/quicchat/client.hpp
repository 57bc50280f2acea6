#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/auth/login.hpp"
#include "quicchat/base/background.hpp"
#include "quicchat/base/entropy.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/owned.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/session/backoff.hpp"
#include "quicchat/session/client_session.hpp"
#include "quicchat/session/client_stats.hpp"
#include "quicchat/transport/concept.hpp"
#include "quicchat/wire/frame_assembler.hpp"
#include "quicchat/wire/varint.hpp"

namespace quicchat {

/// What a client is, beside its login.
struct ClientConfig {
    std::string agent = "{}";  ///< JSON object about the program, for the server's logs.
    Limits limits{};           ///< What it allows the server, and how long it waits.
    Reconnection reconnect{};  ///< How it comes back after a lost connection.
    /// Which installation this is. Drawn anew if there is none: then messages that an earlier run
    /// of the program sent cannot be recognised.
    std::optional<DeviceId> device{};
};

/// A chat client over any transport. All decisions of the protocol are ClientSession's; this class
/// carries bytes in and frames out, and is the one place where the two meet.
///
/// It comes back by itself after it lost its connection: Reconnecting says so, then Online. Rooms
/// go on where they were, and messages without an answer are sent again. Offline is the end.
///
/// Single-threaded: every call must come from one thread at a time. After any call that may cause
/// traffic, let the transport's driver run a turn.
template <DialingTransport T>
class Client {
public:
    /// Dials through `transport`, with what `login` says. `connect` begins.
    Client(T transport, Owned<ClientLogin> login, Entropy entropy, ClientConfig config = {})
        : transport_(std::move(transport)),
          login_(std::move(login)),
          entropy_(entropy),
          limits_(config.limits),
          device_(config.device ? *config.device : DeviceId{entropy_.draw<16>()}),
          backoff_(config.reconnect),
          session_(std::make_unique<ClientSession>(config.limits, std::move(config.agent))) {}

    /// Lets the login compute there what takes long, instead of within `process`. For this client
    /// alone, and before `connect`. A turn is due then when `wake_fd` is readable, too.
    void compute_in(std::shared_ptr<Background> background);

    /// Dials the server. Online or Offline follows. Once in the life of a client.
    void connect(Now now);

    /// Takes in what the transport has to report, and what time did. Call at every wake-up.
    void process(Now now);

    /// When `process` must be called at the latest.
    std::optional<TimePoint> next_deadline() const;

    /// Readable when something that takes long is done; always the same after `compute_in`.
    std::optional<int> wake_fd() const;

    /// Ends the connection now: wait for the answers you need first. Offline follows.
    void close();

    /// The oldest unread event. While `Limits::events_max` are unread, nothing more is taken from
    /// the server, which then slows down.
    std::optional<ClientEvent> poll_event();

    /// Of the connection; `connecting` also while it waits to dial again.
    State state() const { return session_->state(); }
    /// What the client logs in by; its `token` is for the next run of a program that keeps it.
    const ClientLogin& login() const { return *login_; }
    /// Which device of the account it is, as servers know it.
    DeviceId device() const { return device_; }
    /// Requests that wait for an answer.
    std::size_t unanswered_requests() const { return session_->unanswered_requests(); }
    /// What there is to watch.
    ClientStats stats() const;
    /// What it dials through: for its sockets and timers, not to write to.
    T& transport() { return transport_; }
    /// The same.
    const T& transport() const { return transport_; }

    // Requests are taken at any time until the end, and sent when that is possible.

    /// Joins a room. RoomJoined or Refused follows.
    Result<RequestId> join(std::string_view room, Position position = Position::from_now());

    /// Leaves a room. RoomLeft follows; what was under way to us is dropped.
    Errc leave(std::string_view room) { return flushed(session_->leave(room)); }

    /// Puts a message into a room that was joined. Acked or Refused follows. Sending the same again
    /// under the same id is safe.
    Result<RequestId> publish(std::string_view room, std::string text,
                              std::string attributes = "{}",
                              std::optional<MessageId> id = std::nullopt, Act act = {});

    /// Does something else in a room than saying something, see Act. Acked or Refused follows.
    Result<RequestId> act(std::string_view room, Act act, std::string text = {});

    /// Makes a room, with us as its owner. Acked or Refused follows; then join it.
    Result<RequestId> create_room(std::string room, RoomAccess access = RoomAccess::everybody,
                                  std::string topic = {},
                                  std::optional<MessageId> id = std::nullopt);

    /// Says what our account wants to be called; empty: by its user name. ProfileChanged or Refused
    /// follows.
    Result<RequestId> set_display_name(std::string display);

    /// Asks which rooms there are, for the names after `after`. RoomList or Refused follows.
    Result<RequestId> request_rooms(std::string after = {});

    /// Asks for records of a room, joined or not: the newest `before` of those below `offset`, and
    /// the oldest `after` of the others. HistoryPage or Refused follows.
    Result<RequestId> request_history(std::string_view room, Offset offset, std::size_t before,
                                      std::size_t after);

    /// Sends a file into a room. FileWanted asks for its bytes: answer by `give_file`. Acked or
    /// Refused follows.
    Result<RequestId> send_file(std::string_view room, FileToSend file,
                                std::optional<MessageId> id = std::nullopt);
    /// Answers FileWanted, at its offset. `not_ready` if nothing is wanted there, `invalid_request`
    /// for no bytes or too many.
    Errc give_file(RequestId request, std::uint64_t offset, BytesView bytes);

    /// Fetches the file that a record of a room announces, from its byte `from` on. FileBegun,
    /// FileChunk and FileFetched follow, or Refused.
    Result<RequestId> fetch_file(std::string_view room, Offset offset, std::uint64_t from = 0);

    /// For programs whose disk may be slower than the network. After `hold_file_bytes` the server
    /// sends so much of files only as `Limits::file_backlog_bytes_max` allows, until
    /// `release_file_bytes` says how many bytes of FileChunk are written, or of no use.
    void hold_file_bytes() { session_->hold_file_bytes(); }
    /// So many bytes of FileChunk need no memory any more.
    void release_file_bytes(std::size_t bytes);

    /// Ends a transfer in either direction.
    void cancel_file(RequestId request);

    /// Searches in a room, joined or not, for the newest `count` messages and files below `before`
    /// that have all of the words. SearchPage or Refused follows.
    Result<RequestId> request_search(std::string_view room, std::string words,
                                     Offset before = varint_max, std::size_t count = 50);

    /// Says that we are typing in a room. A hint: it may be lost, and is sent so often only.
    void say_typing(std::string_view room, TimePoint now);

    /// Says that our account has read a room up to `offset`; `shared`: to its members as well.
    Errc mark_read(std::string_view room, Offset offset, bool shared = false);

    /// Sends a message to one person. Acked or Refused follows.
    Result<RequestId> tell(std::string user, std::string text, std::string attributes = "{}",
                           std::optional<MessageId> id = std::nullopt);

    // For programs that keep unsent messages over their restarts: call `restore` for each that was
    // kept, then `report_outbox_changes`, all before `connect`; then, after each turn, keep and
    // forget what `poll_outbox_change` says. They need the `ClientConfig::device` of then as well.

    /// Takes in a message that has no answer yet. It is sent as soon as its room is joined.
    Result<RequestId> restore(UnsentMessage message);
    /// Has `poll_outbox_change` say what happens to unsent messages from now on.
    void report_outbox_changes() { session_->report_outbox_changes(); }
    /// The next one, or nothing.
    std::optional<OutboxChange> poll_outbox_change() { return session_->poll_outbox_change(); }

    /// Asks who is in a room, for the names after `after`. MemberList or Refused follows.
    Result<RequestId> request_members(std::string_view room, std::string after = {});

private:
    struct Stream {
        FrameAssembler assembler;
        bool fin = false;      ///< Nothing more comes.
        std::size_t owed = 0;  ///< Bytes read for which the server has no credit back yet.
    };

    void handle(TransportEvent event);

    void dial(TimePoint now);

    /// The connection is over: the client comes back, or that was all.
    void lose(CloseReason reason);

    void begin(Connected connected);

    Result<StreamId> open_stream();

    std::size_t frame_bytes_max() const;

    void receive(const StreamData& data);

    /// The server abandoned a stream: what came on it and was not read yet is gone.
    void drop(StreamId id);

    /// Rooms may answer before the login is complete, since streams overtake each other. Nothing of
    /// that is looked at until the server has proved itself.
    void read_on(StreamId id);

    void keep(wire::Token token);

    void end_stream(StreamId stream, bool at_boundary);

    /// Lets the login policy answer. False if that ended the connection.
    bool continue_login();
    bool send_answer(Result<std::optional<Buffer>> answer);

    /// What rooms answered before the login was complete.
    void read_early();

    /// What the server takes in of what is under way to it shows that it is there.
    void watch_progress();

    /// Gives the server credit for what was read, unless the application lags behind.
    void pay_credit();

    /// The application takes it.
    void count(const ClientEvent& event);

    /// Ends the connection because of `errc`. Offline with that reason follows, or Reconnecting.
    void fail(Errc errc);
    void fail(Errc errc, std::string_view text);

    /// The transport reports our own close as `closed`; the application wants to know why.
    CloseReason explain(CloseReason reason) const;

    template <class R>
    R flushed(R result) {
        flush();
        return result;
    }

    void flush();

    void send_datagram(Bytes bytes);

    MessageId draw_id();

    T transport_;
    Owned<ClientLogin> login_;
    Entropy entropy_;
    Limits limits_;
    DeviceId device_;
    Backoff backoff_;
    std::unique_ptr<ClientSession> session_;  ///< Stays where it is when the client is moved.
    TimePoint now_{};                         ///< Of the latest turn.
    std::optional<ConnectionId> connection_;
    std::shared_ptr<Background> background_;
    std::optional<TimePoint> login_deadline_;
    std::optional<TimePoint> redial_at_;
    std::optional<Errc> failure_;
    std::uint64_t written_ = 0;   ///< Bytes, on this connection,
    std::uint64_t taken_in_ = 0;  ///< and those that the server has.
    bool closing_ = false;        ///< There will be no other connection.
    std::map<StreamId, Stream> streams_;
    std::vector<StreamId> owing_;  ///< Those with bytes that the server has no credit for yet.
    ClientStats counts_;           ///< Of what has happened.
};

}  // namespace quicchat

#include "quicchat/impl/client.ipp"
