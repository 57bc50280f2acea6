#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quicchat/base/entropy.hpp"
#include "quicchat/base/limits.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/base/network.hpp"
#include "quicchat/base/queue.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/log/room_log.hpp"
#include "quicchat/server/config.hpp"
#include "quicchat/server/hub.hpp"
#include "quicchat/server/io/connection.hpp"
#include "quicchat/server/io/delivery.hpp"
#include "quicchat/server/io/event_queue.hpp"
#include "quicchat/server/io/file_streams.hpp"
#include "quicchat/server/io/late_markers.hpp"
#include "quicchat/server/io/logins.hpp"
#include "quicchat/server/io/peers.hpp"
#include "quicchat/server/io/request_cost.hpp"
#include "quicchat/server/io/stats.hpp"
#include "quicchat/server/io/unsent_bytes.hpp"
#include "quicchat/session/event.hpp"
#include "quicchat/transport/concept.hpp"

namespace quicchat {

/// A chat server over any transport, log, way of logging in, and store of files. It carries bytes
/// between the transport and the sessions, and the hub's decisions back; it decides nothing about
/// the chat.
///
/// Single-threaded: every call must come from one thread at a time.
template <Transport T>
class Server {
public:
    /// Serves what `transport` accepts. `process` does the work.
    Server(T transport, Owned<RoomLog> log, Owned<Authenticator> authenticator, Entropy entropy,
           ServerConfig config = {}, Owned<FileStore> files = NoFiles{})
        : config_(std::move(config)),
          peers_(std::move(transport), config_.limits),
          logins_(std::move(authenticator), entropy, config_.limits, peers_, rates_, news_),
          hub_(std::move(log), config_, logins_.accounts()) {
        if (const char* problem = limits_problem(config_.limits)) {
            fail(Errc::invalid_request, std::string{"limits: "} + problem);
        } else if (auto failure = hub_.open(config_.rooms)) {
            fail(failure->first, std::move(failure->second));
        }
        logins_.reserve(config_.speaker);
        files_.emplace(std::move(files), hub_, peers_, rates_, config_.limits, unsent_);
    }

    ~Server();
    Server(const Server&) = delete;  // sessions refer to the limits in here
    Server& operator=(const Server&) = delete;

    /// Takes in what the transport has to report, and what time did. Call at every wake-up.
    void process(Now now);

    /// When `process` must be called at the latest.
    std::optional<TimePoint> next_deadline() const;

    /// Ends in peace: tells every client, takes no new ones, and closes what is left after
    /// `Limits::drain_timeout`. `finished` says when: with pages, `webtransport::farewell` later at
    /// most, if one does not acknowledge that it was told.
    void shutdown(Now now);

    /// Takes what may change of another configuration, while people are connected: nobody is cut.
    /// See `ServerConfig::take_over`. Then call `process`. Former operators are taken out of rooms
    /// that they may not read any more (`removed`).
    ///
    /// `invalid_request`: limits that do not fit together; `invalid_name`: a room's name;
    /// `too_many_rooms`: with those that are there, more than `Limits::rooms_max`. Nothing changes
    /// then. `storage_failed`: the log cannot be read, and the server ends.
    Errc reload(const ServerConfig& next, Now now);

    // What the server's program does with rooms; see RoomAdmin. Then call `process`.

    /// All rooms, but those of two people.
    std::vector<RoomReport> rooms() const { return hub_.admin().list(); }
    /// At most `count_max` records above `after`, whoever may see the room.
    Result<std::vector<LoggedRecord>> read_room(std::string_view room, Offset after,
                                                std::size_t count_max) const {
        return hub_.admin().read(room, after, count_max);
    }
    /// Deletes a room with its records; who is in it is told.
    Errc remove_room(std::string_view room, Now now);
    /// Has an act of an account stored, as if it had asked for it.
    Errc act_in_room(std::string_view room, Record record, Now now);
    /// The room keeps so much of its history from now on.
    Errc keep(std::string_view room, const RetentionChange& change, Now now);

    // What it says and asks for an account, or by `ServerConfig::speaker`; see Spokesman and
    // RoomAdmin. Then call `process`.

    /// Says or does something in a room. Its outcome has that ticket.
    Errc say(std::uint64_t ticket, const std::string& room, Record record, Now now);
    /// Makes a room that belongs to `owner`. Its outcome has that ticket.
    Errc create_room(std::uint64_t ticket, const wire::CreateRoom& m, const std::string& owner,
                     Now now);
    /// What an account is called from now on; empty: its user name. Its outcome has that ticket.
    Errc set_profile(std::uint64_t ticket, const std::string& user, const std::string& display,
                     Now now);
    /// Somebody has read a room up to a record: at once, no outcome follows.
    Errc mark_read(const std::string& room, const std::string& user, std::optional<Epoch> epoch,
                   Offset offset, bool shared, Now now);
    /// What became of one of these, or nothing.
    std::optional<ProgramOutcome> poll_outcome() { return hub_.spokesman().poll_outcome(); }
    /// It wants to know who tells the speaker something, and who has; see Spokesman.
    void listen(bool on) { hub_.spokesman().listen(on); }
    /// Somebody who has told the speaker something since this said so before.
    std::optional<std::string> poll_told() { return hub_.spokesman().poll_told(); }
    /// It wants to know who comes on line and goes, from now on or no longer.
    void watch_people(bool on) { hub_.online_users().watch(on); }
    /// Somebody who came on line or went since this said so before, as they are now: each is there
    /// once, however often that happened.
    std::optional<PersonReport> poll_person() {
        const std::optional<std::string> name = hub_.online_users().poll_change();
        if (!name) return std::nullopt;
        return hub_.people_admin().find(*name);
    }
    /// Files that it sends and fetches; see ProgramFiles.
    ProgramFiles& program_files(Now now) {
        hub_.begin_turn(now.wall, now.steady);
        return files_->program();
    }
    /// What became of one of these, or nothing.
    std::optional<ProgramFileOutcome> poll_file_outcome() {
        return files_->program().poll_outcome();
    }
    /// Rooms as the program sees them.
    const RoomAdmin& room_admin() const { return hub_.admin(); }
    /// People as the program sees them.
    const PeopleAdmin& people_admin() const { return hub_.people_admin(); }
    /// Ends all connections of an account: `kicked`. How many there were.
    std::size_t disconnect(std::string_view user);

    /// True once nothing is left to do after `shutdown` or a failure.
    bool finished() const {
        if (!drain_deadline_ || peers_.size() != 0) return false;
        if constexpr (requires(const T& t) {
                          { t.says_farewell() } -> std::same_as<bool>;
                      }) {
            return !peers_.transport().says_farewell();
        }
        return true;
    }

    /// The oldest unread event. Reading them is optional: old ones are dropped.
    std::optional<ServerEvent> poll_event() { return news_.poll(); }

    /// With `ServerConfig::checks_messages` the program judges each message before it is stored;
    /// see ModerationQueue. The oldest question that was not taken yet: take them after each turn.
    std::optional<CheckQuestion> poll_question() { return hub_.checks().poll_question(); }

    /// The server must be given its turn then. False if nobody waits for that answer any more.
    bool answer(CheckTicket ticket, CheckDecision decision);

    /// What there is to watch. It costs a little for each member: some times a second are no harm.
    ServerStats stats() const;
    /// What there is to know of each connection that is logged in.
    std::vector<ConnectionStats> connection_stats() const;
    /// How long a turn took, for `stats`: the server has no clock. quic::Driver says it.
    void note_turn(Duration took) { turns_.add(took); }

    /// All of them, logged in or not.
    std::size_t connection_count() const { return peers_.size(); }
    /// Since the start; whatever was put into a log.
    std::uint64_t records_stored() const { return hub_.records_stored(); }
    /// Answers that wait for slow clients, counted one by one.
    std::size_t answers_waiting() const { return hub_.fan_out().answers_waiting(); }
    /// Bytes that wait for clients; see Limits::unsent_bytes_max.
    std::size_t unsent_bytes() const { return unsent_.all(); }
    /// That it was made with.
    const RoomLog& log() const { return hub_.log(); }
    /// That it was made with.
    const FileStore& files() const { return files_->store(); }
    /// Files under way, in both directions.
    std::size_t transfers() const { return files_->transfers(); }
    /// What it serves: for its sockets and timers, not to write to.
    T& transport() { return peers_.transport(); }
    /// The same.
    const T& transport() const { return peers_.transport(); }

private:
    using Stream = ServerStream;
    using Connection = ServerConnection;

    void handle(TransportEvent event);

    void accept(Connected connected);

    void forget(Disconnected gone);

    // Bytes in.

    void receive(const StreamData& data);

    /// What had to wait for this turn.
    void read_postponed();

    /// What came before the login's end, in the order in which the streams were opened.
    void read_early(ConnectionId id);

    /// Who does not read our answers is not read either: what it asks waits, within its window.
    /// So is who has had his share of the turn.
    bool is_held_up(ConnectionId id, const Connection& connection, StreamId stream_id,
                    const Stream& stream);

    void read_on(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream);

    /// False if the connection is being closed.
    bool apply_frames(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream);

    /// Takes note of how far people have read who said so faster than they may.
    void apply_late_markers();

    /// Does what a frame asks. An error closes the connection.
    Errc serve(ConnectionId id, Connection& connection, StreamId stream_id, Stream& stream,
               ServerRequest request);

    Errc join(const Caller& caller, Connection& connection, StreamId stream_id, Stream& stream,
              const wire::Join& m);

    /// A HistoryRequest or a SearchRequest.
    Errc open_page(const Caller& caller, StreamId stream_id, Stream& stream, const auto& m) {
        return delivery_.answer_once(caller, stream_id, stream, m.request,
                                     hub_.open_page(caller, stream_id, m));
    }

    Errc receive_file(const Caller& caller, StreamId stream_id, Stream& stream, wire::FileOffer m);

    /// The client has finished a stream: it leaves the room.
    void finish(ConnectionId id, Connection& connection, StreamId stream_id);

    void reset_stream(const StreamReset& reset);

    /// Reads on a stream that was held up. True if there was something to read.
    bool resume_reading(ConnectionId id, StreamId stream_id);

    /// There is room again for what a stream is sent, and asks.
    void go_on(ConnectionId id, StreamId stream);

    /// Serves everybody. True if that let us read on what somebody asked before, or if the log
    /// failed: settle again.
    bool send_all();

    /// Takes in what the log and the files have done, as long as one asks more of the other.
    void settle();

    static Caller caller_of(ConnectionId id, const Connection& connection);

    // Ends.

    /// Fail stop: a server that cannot keep its promises ends (design promise 5).
    void fail(Errc errc, std::string text);

    ServerConfig config_;
    Now now_{};  ///< Of the turn.
    Peers<T> peers_;
    RateLimits rates_{config_.limits};
    EventQueue news_{config_.limits.events_max};
    Newcomers strangers_;  ///< Who has not logged in.
    Logins<T> logins_;
    LateMarkers late_markers_;
    std::set<std::pair<ConnectionId, StreamId>> postponed_;
    Hub hub_;
    UnsentBytes<T> unsent_{peers_, hub_, config_.limits};
    Delivery<T> delivery_{peers_, hub_, unsent_};
    std::optional<FileStreams<T>> files_;  ///< Always, once the rooms are open.
    Errc drain_reason_ = Errc::server_shutdown;
    std::optional<TimePoint> drain_deadline_;
    bool closed_ = false;
    // Since the start.
    std::uint64_t connections_made_ = 0;
    std::uint64_t received_bytes_ = 0;
    ErrorCounts connections_ended_;
    Timing turns_;
};

// Not in the class: what is explicitly instantiated elsewhere is not compiled again then.
template <Transport T>
Server<T>::~Server() = default;

}  // namespace quicchat

#include "quicchat/impl/server.ipp"
