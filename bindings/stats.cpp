#include "stats.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

#include "convert.hpp"
#include "quicchat/base/error.hpp"

namespace quicchat::python {
namespace {

py::dict to_dict(const Timing& timing) {
    py::dict all;
    all["count"] = timing.count;
    all["total"] = to_python(timing.sum);
    all["longest"] = to_python(timing.max);
    return all;
}

/// By the errors' names, without those that never were.
py::dict to_dict(const ErrorCounts& counts) {
    py::dict all;
    for (const ErrorInfo& info : error_table) {
        const std::uint64_t count = counts.of(info.errc);
        if (count != 0) all[to_python(info.name)] = count;
    }
    return all;
}

py::object to_dict(const std::optional<PathStats>& path) {
    if (!path) return py::none();
    py::dict all;
    all["round_trip"] = to_python(path->round_trip);
    all["round_trip_min"] = to_python(path->round_trip_min);
    all["round_trip_latest"] = to_python(path->round_trip_latest);
    all["congestion_window"] = path->congestion_window;
    all["bytes_in_flight"] = path->bytes_in_flight;
    all["packet_bytes_max"] = path->packet_bytes_max;
    all["packets_sent"] = path->packets_sent;
    all["packets_received"] = path->packets_received;
    all["packets_lost"] = path->packets_lost;
    all["bytes_sent"] = path->bytes_sent;
    all["bytes_received"] = path->bytes_received;
    all["bytes_lost"] = path->bytes_lost;
    all["unacknowledged"] = path->unacknowledged;
    all["streams"] = path->streams;
    return all;
}

py::dict to_dict(const StrangerStats& strangers) {
    py::dict all;
    all["retries"] = strangers.retries;
    all["versions_negotiated"] = strangers.versions_negotiated;
    all["resets"] = strangers.resets;
    all["refused_full"] = strangers.refused_full;
    all["refused_token"] = strangers.refused_token;
    all["dropped_rate"] = strangers.dropped_rate;
    all["dropped_malformed"] = strangers.dropped_malformed;
    all["dropped_answers"] = strangers.dropped_answers;
    return all;
}

py::dict to_dict(const TransportStats& transport) {
    py::dict all;
    all["handshakes_open"] = transport.handshakes_open;
    all["handshakes_begun"] = transport.handshakes_begun;
    all["handshakes_done"] = transport.handshakes_done;
    all["handshakes_failed"] = to_dict(transport.handshakes_failed);
    all["strangers"] = to_dict(transport.strangers);
    all["datagrams_received"] = transport.datagrams_received;
    all["datagrams_sent"] = transport.datagrams_sent;
    all["bytes_received"] = transport.bytes_received;
    all["bytes_sent"] = transport.bytes_sent;
    return all;
}

}  // namespace

py::dict to_dict(const ServerStats& stats) {
    py::dict all;
    all["connections"] = stats.connections;
    all["users"] = stats.users;
    all["members"] = stats.members;
    all["rooms"] = stats.rooms;
    all["files"] = stats.files;
    all["file_bytes"] = stats.file_bytes;
    all["transfers"] = stats.transfers;
    all["appends_under_way"] = stats.appends_under_way;
    all["checks_waiting"] = stats.checks_waiting;
    all["answers_waiting"] = stats.answers_waiting;
    all["unsent_bytes"] = stats.unsent_bytes;
    all["connections_made"] = stats.connections_made;
    all["connections_ended"] = to_dict(stats.connections_ended);
    all["logins"] = stats.logins;
    all["logins_refused"] = to_dict(stats.logins_refused);
    all["requests_refused"] = to_dict(stats.requests_refused);
    all["records_stored"] = stats.records_stored;
    all["messages_stored"] = stats.messages_stored;
    all["deliveries"] = stats.deliveries;
    all["delivered_bytes"] = stats.delivered_bytes;
    all["received_bytes"] = stats.received_bytes;
    all["appends"] = to_dict(stats.appends);
    all["turns"] = to_dict(stats.turns);
    all["transport"] = to_dict(stats.transport.value_or(TransportStats{}));
    return all;
}

py::dict to_dict(const ConnectionStats& stats) {
    py::dict all;
    all["connection"] = static_cast<std::uint64_t>(stats.connection);
    all["user"] = to_python(std::string_view{stats.user});
    all["address"] = to_python(std::string_view{stats.peer_address});
    all["state"] = to_python(state_name(stats.state));
    all["path"] = to_dict(stats.path);
    return all;
}

py::dict to_dict(const ClientStats& stats) {
    py::dict all;
    all["state"] = to_python(state_name(stats.state));
    all["unanswered_requests"] = stats.unanswered_requests;
    all["unread_events"] = stats.unread_events;
    all["dials"] = stats.dials;
    all["logins"] = stats.logins;
    all["connections_lost"] = to_dict(stats.connections_lost);
    all["messages_received"] = stats.messages_received;
    all["requests_stored"] = stats.requests_stored;
    all["requests_refused"] = to_dict(stats.requests_refused);
    all["path"] = to_dict(stats.path);
    all["transport"] = to_dict(stats.transport.value_or(TransportStats{}));
    return all;
}

}  // namespace quicchat::python
