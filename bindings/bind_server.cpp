#include <pybind11/stl.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "bind.hpp"
#include "convert.hpp"
#include "endpoints.hpp"
#include "engine.hpp"
#include "failure.hpp"
#include "options.hpp"
#include "quicchat/base/match.hpp"
#include "server_reload.hpp"
#include "stats.hpp"

namespace quicchat::python {
namespace {

// Events are small and nobody has to read them: above this the server drops the oldest.
constexpr std::size_t inbox_events = 4096;
constexpr std::size_t inbox_bytes = 4 * 1024 * 1024;

std::uint64_t number(ConnectionId id) { return static_cast<std::uint64_t>(id); }
std::uint64_t number(HookTicket ticket) { return static_cast<std::uint64_t>(ticket); }
std::uint64_t number(CheckTicket ticket) { return static_cast<std::uint64_t>(ticket); }

std::string_view kind_name(MessageQuestion::Kind kind) {
    switch (kind) {
        case MessageQuestion::Kind::message:
            return "message";
        case MessageQuestion::Kind::edit:
            return "edit";
        case MessageQuestion::Kind::file:
            return "file";
    }
    return "message";
}

py::tuple mail_tuple(const ServerMail& mail) {
    const auto text = [](const std::string& s) { return to_python(std::string_view{s}); };
    if (std::holds_alternative<ServerStopped>(mail)) {
        return py::make_tuple("stopped", py::make_tuple());
    }
    const auto tuple = [](const char* kind, py::tuple fields) -> py::tuple {
        return py::make_tuple(kind, std::move(fields));
    };
    if (const auto* asked = std::get_if<DeferredQuestion>(&mail)) {
        const AccountQuestion& q = asked->question;
        return tuple("question",
                     py::make_tuple(number(asked->ticket), text(q.user), text(q.peer_address),
                                    text(q.mechanism), to_hex(q.device)));
    }
    if (const auto* asked = std::get_if<CheckQuestion>(&mail)) {
        const MessageQuestion& q = asked->question;
        return tuple("check", py::make_tuple(number(asked->ticket), text(q.user), text(q.room),
                                             text(q.text), text(q.attributes),
                                             to_python(kind_name(q.kind)), text(q.recipient)));
    }
    return match(
        std::get<ServerEvent>(mail),
        [&](const PeerConnected& e) {
            return tuple("connected", py::make_tuple(number(e.connection), text(e.peer_address)));
        },
        [&](const PeerLoggedIn& e) {
            return tuple("logged_in", py::make_tuple(number(e.connection), text(e.user)));
        },
        [&](const PeerRefused& e) {
            return tuple("refused", py::make_tuple(number(e.connection), text(e.user),
                                                   text(e.peer_address), to_python(e.errc)));
        },
        [&](const LoginsLocked& e) {
            return tuple("locked", py::make_tuple(text(e.user), text(e.peer_address)));
        },
        [&](const PeerDisconnected& e) {
            return tuple("disconnected", py::make_tuple(number(e.connection), text(e.user),
                                                        to_python(e.reason.errc), e.reason.by_peer,
                                                        text(e.reason.text)));
        },
        [&](const CheckFailed& e) {
            return tuple("check_failed", py::make_tuple(text(e.user), text(e.room), text(e.text)));
        },
        [&](const StorageTrouble& e) {
            const std::string_view error = e.errc == Errc{} ? "" : error_name(e.errc);
            return tuple("storage_trouble", py::make_tuple(to_python(error), text(e.text)));
        },
        [&](const ServerFailed& e) {
            return tuple("failed", py::make_tuple(to_python(e.errc), text(e.text)));
        });
}

/// Python's end of a server. Thread-safe; nothing here waits but the constructor.
class ServerHandle {
public:
    explicit ServerHandle(const ServeOptions& options)
        : engine_(live_engine()), port_(std::make_shared<ServerPort>(inbox_events, inbox_bytes)) {
        const py::gil_scoped_release other_threads_may_run;
        database_ = options.database;
        remember(options.settings);
        BoundServer bound = make_server(options, port_);
        address_ = std::move(bound.address);
        replaced_ = std::move(bound.replaced);
        id_ = engine_->add(std::move(bound.runner));
    }
    ServerHandle(const ServerHandle&) = delete;
    ServerHandle& operator=(const ServerHandle&) = delete;
    ~ServerHandle() {
        if (engine_->is_alive()) stop();
    }

    int fileno() const { return check(), port_->inbox.fd(); }

    py::list drain(std::size_t max) {
        check();
        auto taken = port_->inbox.take(max);
        if (taken.was_full) engine_->wake(id_);
        py::list list;
        for (const ServerMail& mail : taken.mail) list.append(mail_tuple(mail));
        return list;
    }

    void shutdown() { check(), stop(); }
    /// `verdict`: own (the server's accounts decide), refuse, unavailable, or account.
    void answer(std::uint64_t ticket, const std::string& verdict, std::string name,
                const std::string& verifier) {
        check();
        HookDecision decision = HookUnavailable{};
        if (verdict == "own") decision = UseOwnAccounts{};
        if (verdict == "refuse") decision = RefuseLogin{};
        if (verdict == "account") {
            // A login by token needs no verifier.
            const Verifier kept =
                verifier.empty() ? Verifier{} : value_or_throw(parse_verifier(verifier));
            decision = Account{std::move(name), kept};
        }
        port_->post(LoginAnswer{HookTicket{ticket}, std::move(decision)});
        engine_->wake(id_);
    }

    /// `verdict`: accept, replace (by `text` and, if they are given, `attributes`), refuse (because
    /// of `text`), or unavailable.
    void answer_check(std::uint64_t ticket, const std::string& verdict, std::string text,
                      std::optional<std::string> attributes) {
        check();
        CheckDecision decision = CheckUnavailable{};
        if (verdict == "accept") decision = AcceptMessage{};
        if (verdict == "replace") decision = ReplaceMessage{std::move(text), std::move(attributes)};
        if (verdict == "refuse") decision = RefuseMessage{std::move(text)};
        port_->post(CheckAnswer{CheckTicket{ticket}, std::move(decision)});
        engine_->wake(id_);
    }

    /// Waits for the engine. One at a time.
    AccountChanges reload(const ServerSettings& next) {
        check();
        const py::gil_scoped_release other_threads_may_run;
        const std::lock_guard lock{reloading_};
        AccountChanges changes = reload_server({*engine_, id_, *port_, database_}, settings_, next);
        remember(next);
        return changes;
    }

    /// Waits for the engine: (the server's figures, those of its connections).
    py::tuple stats() {
        check();
        const ServerReport report = wait_for(ask_for_report({*engine_, id_, *port_, database_}));
        py::list connections;
        for (const ConnectionStats& stats : report.connections) {
            connections.append(to_dict(stats));
        }
        return py::make_tuple(to_dict(report.stats), std::move(connections));
    }

    const std::string& address() const { return address_; }
    const std::vector<std::string>& replaced() const { return replaced_; }
    std::size_t connections() const { return check(), port_->connections.load(); }

private:
    void check() const {
        if (!engine_->is_alive()) throw ForkFailure{};
    }
    void stop() {
        port_->stop_asked.store(true);
        engine_->wake(id_);
    }

    void remember(const ServerSettings& settings) {
        settings_ = settings;
        settings_.accounts.clear();  // passwords
    }

    Engine* engine_;
    std::shared_ptr<ServerPort> port_;
    std::mutex reloading_;
    ServerSettings settings_;  ///< As they are, but for the accounts.
    std::string database_;
    std::string address_;
    std::vector<std::string> replaced_;
    RunnerId id_{};
};

/// Name, password, verifier, salt.
using AccountFields = std::tuple<std::string, std::string, std::string, py::bytes>;

std::vector<ConfiguredAccount> configured(const std::vector<AccountFields>& fields) {
    std::vector<ConfiguredAccount> accounts;
    for (const auto& [name, password, verifier, salt] : fields) {
        accounts.push_back({name, password, verifier, to_salt(salt)});
    }
    return accounts;
}

}  // namespace

void bind_server(py::module_& m) {
    py::class_<ServerHandle, py::smart_holder>(m, "Server",
                                               "A server on the engine thread. It listens at once.")
        .def(py::init([](std::string address, std::string certificate_pem, std::string key_pem,
                         const std::vector<AccountFields>& accounts, std::uint32_t iterations,
                         std::string database, std::string durability, std::string files,
                         bool files_in_memory, const std::optional<double>& hook_timeout,
                         const std::optional<double>& check_timeout, bool accepts_unchecked,
                         std::vector<std::string> rooms, std::vector<std::string> operators,
                         bool anybody_makes_rooms, std::string alpn, std::string agent,
                         const py::dict& limits, std::string qlog, std::uint64_t qlog_bytes_max) {
                 const ServeOptions options{
                     .address = std::move(address),
                     .settings = {.certificate_pem = std::move(certificate_pem),
                                  .key_pem = std::move(key_pem),
                                  .accounts = configured(accounts),
                                  .iterations = iterations,
                                  .rooms = std::move(rooms),
                                  .operators = std::move(operators),
                                  .anybody_makes_rooms = anybody_makes_rooms,
                                  .limits = make_limits(limits)},
                     .database = std::move(database),
                     .durability = std::move(durability),
                     .files = std::move(files),
                     .files_in_memory = files_in_memory,
                     .asks = hook_timeout.has_value(),
                     .hook_timeout = to_duration(hook_timeout.value_or(0)),
                     .checks_messages = check_timeout.has_value(),
                     .check_timeout = to_duration(check_timeout.value_or(0)),
                     .accepts_unchecked = accepts_unchecked,
                     .alpn = std::move(alpn),
                     .agent = std::move(agent),
                     .qlog = {std::move(qlog), qlog_bytes_max}};
                 return std::make_unique<ServerHandle>(options);
             }),
             py::kw_only(), py::arg("address"), py::arg("certificate_pem"), py::arg("key_pem"),
             py::arg("accounts"), py::arg("iterations"), py::arg("database"), py::arg("durability"),
             py::arg("files"), py::arg("files_in_memory"), py::arg("hook_timeout"),
             py::arg("check_timeout"), py::arg("accepts_unchecked"), py::arg("rooms"),
             py::arg("operators"), py::arg("anybody_makes_rooms"), py::arg("alpn"),
             py::arg("agent"), py::arg("limits"), py::arg("qlog") = "",
             py::arg("qlog_bytes_max") = 0)
        .def(
            "reload",
            [](ServerHandle& self, std::string certificate_pem, std::string key_pem,
               const std::vector<AccountFields>& accounts, std::uint32_t iterations,
               std::vector<std::string> rooms, std::vector<std::string> operators,
               bool anybody_makes_rooms, const py::dict& limits) {
                const AccountChanges changes =
                    self.reload({.certificate_pem = std::move(certificate_pem),
                                 .key_pem = std::move(key_pem),
                                 .accounts = configured(accounts),
                                 .iterations = iterations,
                                 .rooms = std::move(rooms),
                                 .operators = std::move(operators),
                                 .anybody_makes_rooms = anybody_makes_rooms,
                                 .limits = make_limits(limits)});
                return std::tuple{changes.added, changes.replaced, changes.removed, changes.hashed};
            },
            py::kw_only(), py::arg("certificate_pem"), py::arg("key_pem"), py::arg("accounts"),
            py::arg("iterations"), py::arg("rooms"), py::arg("operators"),
            py::arg("anybody_makes_rooms"), py::arg("limits"),
            "Other settings, without cutting anybody; on an error it goes on as before. Waits. The "
            "accounts that were added, have another password, and were removed; how many passwords "
            "were hashed.")
        .def("fileno", &ServerHandle::fileno, "Readable while `drain` has something to give.")
        .def("drain", &ServerHandle::drain, py::arg("max") = 256,
             "The oldest events: (kind, fields) each.")
        .def("answer", &ServerHandle::answer, py::arg("ticket"), py::arg("verdict"),
             py::arg("name") = "", py::arg("verifier") = "", "Answers a question about a login.")
        .def("answer_check", &ServerHandle::answer_check, py::arg("ticket"), py::arg("verdict"),
             py::arg("text") = "", py::arg("attributes") = py::none(),
             "Answers a question about a message.")
        .def("stats", &ServerHandle::stats,
             "Waits for the engine: the server's figures, and those of each connection.")
        .def("shutdown", &ServerHandle::shutdown,
             "Tells all clients, waits for them a little, ends. An event `stopped` follows.")
        .def_property_readonly("address", &ServerHandle::address, "Where it listens: host:port.")
        .def_property_readonly("replaced", &ServerHandle::replaced,
                               "Accounts whose password in the database was another one.")
        .def_property_readonly("connections", &ServerHandle::connections, "Open connections.");
}

}  // namespace quicchat::python
