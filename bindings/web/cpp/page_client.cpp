// The protocol core as a WebAssembly module: one client over a page's streams. What the page's
// JavaScript calls is here; what it is called for is in imports.hpp.
//
// Texts and bytes come in as a place and a size in the module's memory, which `allocate` gave.
// Requests answer with their number, or with an error's number below zero. After any calls the page
// calls `process`, once.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "events.hpp"
#include "imports.hpp"
#include "page_crypto.hpp"
#include "page_login.hpp"
#include "page_outbox.hpp"
#include "page_transport.hpp"
#include "quicchat/auth/ticket_login.hpp"
#include "quicchat/client.hpp"

#ifdef __wasm__
#define QUICCHAT_EXPORT(name) extern "C" __attribute__((export_name(#name)))
#else
#define QUICCHAT_EXPORT(name) extern "C"
#endif

namespace quicchat::web {
namespace {

using Size = std::uint32_t;
using PageClient = Client<PageTransport>;

/// All that one module instance is.
struct Page {
    std::optional<PageClient> client;
    PagePassword* password = nullptr;            ///< The client's login, if it is by password,
    TicketLogin<PageCrypto>* tickets = nullptr;  ///< or by tickets.
    PageOutbox outbox;
    std::map<std::uint32_t, Sha256> hashes;
    std::uint32_t next_hash = 0;
};

Page& page() {
    static Page only;
    return only;
}

PageClient& client() { return *page().client; }
PageTransport& transport() { return client().transport(); }

std::string_view view(const char* text, Size size) { return {text, size}; }
std::string copy(const char* text, Size size) { return std::string{view(text, size)}; }
BytesView bytes_of(const std::byte* bytes, Size size) { return {bytes, size}; }

/// JavaScript's times: milliseconds, with a fraction.
TimePoint steady_of(double ms) { return TimePoint{Duration{static_cast<std::int64_t>(ms * 1e6)}}; }

WallTime wall_of(double ms) {
    return WallTime{std::chrono::milliseconds{static_cast<std::int64_t>(ms)}};
}

/// Offsets and sizes: whole numbers that JavaScript has exactly.
std::uint64_t whole(double number) { return number > 0 ? static_cast<std::uint64_t>(number) : 0; }

double failed(Errc errc) { return -static_cast<double>(static_cast<int>(errc)); }

double answer(const Result<RequestId>& request) {
    return request ? static_cast<double>(*request) : failed(to_errc(request.error()));
}

void fill(std::uint64_t&, std::span<std::byte> bytes) {
    quicchat_random(bytes.data(), static_cast<Size>(bytes.size()));
}

std::vector<CertificateHash> hashes_of(const std::byte* bytes, Size size) {
    std::vector<CertificateHash> hashes(size / sizeof(CertificateHash));
    std::memcpy(hashes.data(), bytes, hashes.size() * sizeof(CertificateHash));
    return hashes;
}

/// The device that an earlier page was, if it kept its id.
std::optional<DeviceId> device_of(BytesView bytes) {
    DeviceId device;
    if (bytes.size() != device.bytes.size()) return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), device.bytes.begin());
    return device;
}

/// Makes the client. Its login, which it owns.
template <class Login>
Login* create(Login login, std::string agent, std::optional<DeviceId> device) {
    auto owned = std::make_unique<Login>(std::move(login));
    Login* const kept = owned.get();
    page().client.emplace(PageTransport{}, std::move(owned), Entropy{fill},
                          ClientConfig{.agent = std::move(agent), .device = device});
    return kept;
}

void tell_restored(RequestId request, const UnsentMessage& message) {
    const std::string json = json_of(request, message);
    quicchat_event(json.data(), static_cast<Size>(json.size()));
}

void tell(const ClientEvent& event) {
    if (const auto* chunk = std::get_if<FileChunk>(&event)) {
        quicchat_chunk(static_cast<double>(chunk->request), static_cast<double>(chunk->offset),
                       chunk->bytes.data(), static_cast<Size>(chunk->bytes.size()));
        return;
    }
    const std::string json = json_of(event);
    if (!json.empty()) quicchat_event(json.data(), static_cast<Size>(json.size()));
}

}  // namespace
}  // namespace quicchat::web

using namespace quicchat;
using namespace quicchat::web;

QUICCHAT_EXPORT(allocate) void* quicchat_allocate(Size size) { return std::malloc(size); }

/// Gives memory back. Secrets may have been in it.
QUICCHAT_EXPORT(release) void quicchat_release(std::byte* bytes, Size size) {
    secure_wipe({bytes, size});
    std::free(bytes);
}

/// What there is to say of an error, as JSON. The text ends with a zero, and lives until the next
/// call.
QUICCHAT_EXPORT(describe_error) const char* quicchat_describe_error(double number) {
    static std::string json;
    json = json_of(static_cast<Errc>(static_cast<int>(number)));
    return json.c_str();
}

// The life of the client.

/// A client that logs in by password. `pinned`: the hashes of certificates, one after another.
/// `device`: the 16 bytes that `device` gave an earlier page, or none. 0, or an error's number.
QUICCHAT_EXPORT(create_with_password)
int quicchat_create_with_password(const char* user, Size user_size, const char* password,
                                  Size password_size, const std::byte* pinned, Size pinned_size,
                                  const char* agent, Size agent_size, const std::byte* device,
                                  Size device_size) {
    auto login = PagePassword::create(view(user, user_size), view(password, password_size),
                                      hashes_of(pinned, pinned_size));
    if (!login) return static_cast<int>(to_errc(login.error()));
    page().password = create(*std::move(login), copy(agent, agent_size),
                             device_of(bytes_of(device, device_size)));
    return 0;
}

/// A client that logs in by tickets, bound to the pinned certificates, or without them to the host
/// and port of the URL. 0, or an error's number.
QUICCHAT_EXPORT(create_with_tickets)
int quicchat_create_with_tickets(const std::byte* pinned, Size pinned_size, const char* host,
                                 Size host_size, Size port, const char* agent, Size agent_size,
                                 const std::byte* device, Size device_size) {
    auto binding = pinned_size != 0 ? PageBinding::to_certificates(hashes_of(pinned, pinned_size))
                                    : PageBinding::to_host(view(host, host_size),
                                                           static_cast<std::uint16_t>(port));
    if (!binding) return static_cast<int>(to_errc(binding.error()));
    page().tickets = create(TicketLogin<PageCrypto>{*std::move(binding)}, copy(agent, agent_size),
                            device_of(bytes_of(device, device_size)));
    return 0;
}

/// The ticket for the next connection, before `on_connected`. 0, or an error's number.
QUICCHAT_EXPORT(set_ticket) int quicchat_set_ticket(const char* ticket, Size size) {
    const auto taken = page().tickets->set_ticket(view(ticket, size));
    return taken ? 0 : static_cast<int>(to_errc(taken.error()));
}

// For a page that keeps unsent messages over its reloads. Between `create_…` and `connect`: all
// records are restored in the order of their numbers, then `report_unsent` is called. Then, after
// each `process`, `poll_unsent` says by `keep` and `forget` what is to be stored.

/// Which device we are, for the next page: puts 16 bytes to `device`.
QUICCHAT_EXPORT(device) void quicchat_device(std::byte* device) {
    const DeviceId id = client().device();
    std::copy(id.bytes.begin(), id.bytes.end(), device);
}

/// Takes in a message that was kept, which is told as "restored". Its number, or an error's number
/// below zero: `invalid_request` for one that is damaged.
QUICCHAT_EXPORT(restore)
double quicchat_restore(double number, const std::byte* record, Size size) {
    std::optional<UnsentMessage> message =
        page().outbox.restore(whole(number), bytes_of(record, size));
    if (!message) return failed(Errc::invalid_request);
    const Result<RequestId> request = client().restore(*message);
    if (request) tell_restored(*request, *message);
    return answer(request);
}

QUICCHAT_EXPORT(report_unsent) void quicchat_report_unsent() { client().report_outbox_changes(); }

QUICCHAT_EXPORT(poll_unsent) void quicchat_poll_unsent() {
    while (const std::optional<OutboxChange> change = client().poll_outbox_change()) {
        const auto record = page().outbox.record(*change);
        if (!record) continue;
        const auto number = static_cast<double>(record->number);
        if (record->bytes.empty()) {
            quicchat_forget(number);
        } else {
            quicchat_keep(number, record->bytes.data(), static_cast<Size>(record->bytes.size()));
        }
    }
}

QUICCHAT_EXPORT(connect) void quicchat_connect(double steady, double wall) {
    client().connect({.steady = steady_of(steady), .wall = wall_of(wall)});
}

/// One turn. Tells at most `events_max` events, and answers how many it told.
QUICCHAT_EXPORT(process)
Size quicchat_process(double steady, double wall, Size events_max) {
    client().process({.steady = steady_of(steady), .wall = wall_of(wall)});
    Size told = 0;
    while (told < events_max) {
        const std::optional<ClientEvent> event = client().poll_event();
        if (!event) break;
        ++told;
        tell(*event);
    }
    return told;
}

/// When the next turn is due at the latest, in milliseconds; below zero: not by itself.
QUICCHAT_EXPORT(next_deadline) double quicchat_next_deadline() {
    const auto deadline = client().next_deadline();
    return deadline ? static_cast<double>(deadline->time_since_epoch().count()) / 1e6 : -1;
}

QUICCHAT_EXPORT(close) void quicchat_close_client() { client().close(); }

// What WebTransport reports.

/// `certificate`: with which of the pinned ones it was dialled.
QUICCHAT_EXPORT(on_connected) void quicchat_on_connected(Size certificate) {
    if (page().password != nullptr) page().password->use_certificate(certificate);
    transport().handle_connected();
}

QUICCHAT_EXPORT(on_data)
void quicchat_on_data(Size stream, const std::byte* bytes, Size size, Size fin) {
    transport().handle_data(stream, bytes_of(bytes, size), fin != 0);
}

QUICCHAT_EXPORT(on_reset) void quicchat_on_reset(Size stream, Size code) {
    transport().handle_reset(stream, code);
}

QUICCHAT_EXPORT(on_sent) void quicchat_on_sent(Size stream, Size size) {
    transport().handle_sent(stream, size);
}

QUICCHAT_EXPORT(on_datagram) void quicchat_on_datagram(const std::byte* bytes, Size size) {
    transport().handle_datagram(bytes_of(bytes, size));
}

/// `code`: of PROTOCOL.md §8, as it travels.
QUICCHAT_EXPORT(on_closed)
void quicchat_on_closed(Size code, Size by_peer, const char* text, Size size) {
    transport().handle_closed(
        {.errc = from_wire_code(code), .by_peer = by_peer != 0, .text = copy(text, size)});
}

// Requests.

/// `last`: so many records of before come first.
QUICCHAT_EXPORT(join) double quicchat_join(const char* room, Size size, double last) {
    return answer(client().join(view(room, size),
                                last > 0 ? Position::last(whole(last)) : Position::from_now()));
}

/// Goes on after a record that was seen: all after it follow, or a gap is told. `epoch`: in digits.
QUICCHAT_EXPORT(join_after)
double quicchat_join_after(const char* room, Size size, const char* epoch, Size epoch_size,
                           double offset) {
    std::uint64_t number = 0;
    for (const char digit : view(epoch, epoch_size)) {
        number = number * 10 + static_cast<std::uint64_t>(digit - '0');
    }
    return answer(client().join(view(room, size), Position::after(Epoch{number}, whole(offset))));
}

QUICCHAT_EXPORT(leave) double quicchat_leave(const char* room, Size size) {
    return failed(client().leave(view(room, size)));
}

/// A message, or another act: `kind`, `target`, `subject`, `value` and `until` as in wire/act.hpp.
QUICCHAT_EXPORT(publish)
double quicchat_publish(const char* room, Size room_size, const char* text, Size text_size,
                        const char* attributes, Size attributes_size, double kind, double target,
                        const char* subject, Size subject_size, double value, double until) {
    Act act{.kind = static_cast<Act::Kind>(whole(kind)),
            .target = whole(target),
            .subject = copy(subject, subject_size),
            .value = whole(value),
            .until = wall_of(until)};
    return answer(client().publish(view(room, room_size), copy(text, text_size),
                                   copy(attributes, attributes_size), std::nullopt,
                                   std::move(act)));
}

QUICCHAT_EXPORT(tell)
double quicchat_tell(const char* user, Size user_size, const char* text, Size text_size,
                     const char* attributes, Size attributes_size) {
    return answer(client().tell(copy(user, user_size), copy(text, text_size),
                                copy(attributes, attributes_size)));
}

QUICCHAT_EXPORT(create_room)
double quicchat_create_room(const char* room, Size room_size, double access, const char* topic,
                            Size topic_size) {
    return answer(client().create_room(
        copy(room, room_size), static_cast<RoomAccess>(whole(access)), copy(topic, topic_size)));
}

QUICCHAT_EXPORT(set_display_name)
double quicchat_set_display_name(const char* display, Size size) {
    return answer(client().set_display_name(copy(display, size)));
}

QUICCHAT_EXPORT(rooms) double quicchat_rooms(const char* after, Size size) {
    return answer(client().request_rooms(copy(after, size)));
}

QUICCHAT_EXPORT(members)
double quicchat_members(const char* room, Size room_size, const char* after, Size after_size) {
    return answer(client().request_members(view(room, room_size), copy(after, after_size)));
}

/// `offset` below zero: behind the newest record.
QUICCHAT_EXPORT(history)
double quicchat_history(const char* room, Size size, double offset, double before, double after) {
    return answer(client().request_history(
        view(room, size), offset < 0 ? varint_max : whole(offset), whole(before), whole(after)));
}

QUICCHAT_EXPORT(search)
double quicchat_search(const char* room, Size room_size, const char* words, Size words_size,
                       double before, double count) {
    return answer(client().request_search(view(room, room_size), copy(words, words_size),
                                          before < 0 ? varint_max : whole(before), whole(count)));
}

QUICCHAT_EXPORT(mark_read)
double quicchat_mark_read(const char* room, Size size, double offset, double shared) {
    return failed(client().mark_read(view(room, size), whole(offset), shared != 0));
}

QUICCHAT_EXPORT(typing) void quicchat_typing(const char* room, Size size, double steady) {
    client().say_typing(view(room, size), steady_of(steady));
}

// Files.

QUICCHAT_EXPORT(send_file)
double quicchat_send_file(const char* room, Size room_size, const char* name, Size name_size,
                          double size, const std::byte* digest, Size digest_size,
                          const char* attributes, Size attributes_size, double reply_to) {
    FileToSend file;
    file.name = copy(name, name_size);
    file.size = whole(size);
    file.digest.assign(digest, digest + digest_size);
    file.attributes = copy(attributes, attributes_size);
    file.reply_to = whole(reply_to);
    return answer(client().send_file(view(room, room_size), std::move(file)));
}

QUICCHAT_EXPORT(give_file)
double quicchat_give_file(double request, double offset, const std::byte* bytes, Size size) {
    return failed(client().give_file(whole(request), whole(offset), bytes_of(bytes, size)));
}

QUICCHAT_EXPORT(fetch_file)
double quicchat_fetch_file(const char* room, Size size, double offset) {
    return answer(client().fetch_file(view(room, size), whole(offset)));
}

QUICCHAT_EXPORT(cancel_file) void quicchat_cancel_file(double request) {
    client().cancel_file(whole(request));
}

// SHA-256 of what comes in pieces. WebCrypto wants all of a file at once.

QUICCHAT_EXPORT(hash_begin) Size quicchat_hash_begin() {
    const Size hash = ++page().next_hash;
    page().hashes.emplace(hash, Sha256{});
    return hash;
}

QUICCHAT_EXPORT(hash_update)
void quicchat_hash_update(Size hash, const std::byte* bytes, Size size) {
    const auto found = page().hashes.find(hash);
    if (found != page().hashes.end()) found->second.update(bytes_of(bytes, size));
}

/// Puts 32 bytes to `digest`. The hash is gone then.
QUICCHAT_EXPORT(hash_finish) void quicchat_hash_finish(Size hash, std::byte* digest) {
    const auto found = page().hashes.find(hash);
    if (found == page().hashes.end()) return;
    const Digest result = found->second.finish();
    std::memcpy(digest, result.data(), result.size());
    page().hashes.erase(found);
}
