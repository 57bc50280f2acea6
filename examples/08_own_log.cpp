// A log of one's own: it keeps records as MemoryLog does, and writes each that was committed to a
// file, a line each, before anybody is told of it. The promises are in quicchat/log/room_log.hpp,
// and tests/conformance has a test for each: for your log too.
//
//     08_own_log audit.txt

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quicchat/memory.hpp"

using namespace quicchat;

namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class AuditLog : public RoomLog {
public:
    AuditLog(MemoryLog log, File file) : log_(std::move(log)), file_(std::move(file)) {}

    std::optional<LogNews> poll_news() override {
        std::optional<LogNews> news = log_.poll_news();
        // Whoever asks for news tells others next: what is not in the file is not said.
        if (news && news->is_commit()) {
            const Record& record = *news->record;
            const int written = std::fprintf(file_.get(), "%s %llu %s: %s\n", news->room.c_str(),
                                             static_cast<unsigned long long>(news->offset),
                                             record.author.c_str(), record.text.c_str());
            if (written < 0 || std::fflush(file_.get()) != 0) news->error = Errc::storage_failed;
        }
        return news;
    }

    // All the rest is MemoryLog's.
    Result<LogHead> open(const std::string& room, Retention retention) override {
        return log_.open(room, retention);
    }
    void forget(const std::string& room) override { log_.forget(room); }
    Result<std::vector<std::string>> rooms() const override { return log_.rooms(); }
    LogHead head(const std::string& room) const override { return log_.head(room); }
    void append(AppendToken token, const std::string& room, Record record,
                std::vector<StateChange> changes) override {
        log_.append(token, room, std::move(record), std::move(changes));
    }
    void look_up(AppendToken token, const std::string& room, Record record) override {
        log_.look_up(token, room, std::move(record));
    }
    void trim(const std::string& room, WallTime before) override { log_.trim(room, before); }
    void store(const std::string& room, std::vector<StateChange> changes) override {
        log_.store(room, std::move(changes));
    }
    Result<RoomState> state(const std::string& room) const override { return log_.state(room); }
    Result<std::vector<LoggedRecord>> read(const std::string& room, Offset after,
                                           std::size_t count_max) const override {
        return log_.read(room, after, count_max);
    }
    Result<std::vector<LoggedRecord>> files(const std::string& room) const override {
        return log_.files(room);
    }
    Result<Reactions> reactions(const std::string& room, Offset target, const std::string& author,
                                const std::string& text) const override {
        return log_.reactions(room, target, author, text);
    }
    Durability durability() const override { return log_.durability(); }

private:
    MemoryLog log_;
    File file_;
};

}  // namespace

int main(int argc, char** argv) {
    File file{argc > 1 ? std::fopen(argv[1], "a") : std::tmpfile()};
    if (!file) return std::perror("08_own_log"), 1;
    std::FILE* const audit = file.get();

    memory::Network network{{.seed = 1}};
    memory::Server server{network.listen("chat"),
                          AuditLog{MemoryLog{Entropy::seeded(2)}, std::move(file)},
                          NameAuthenticator{}, Entropy::seeded(3)};
    memory::Client ada{network.dial("chat"), *NameLogin::create("ada"), Entropy::seeded(4)};
    ada.connect({network.now()});
    (void)ada.join("#lobby");
    (void)ada.publish("#lobby", "for the record");

    bool acked = false;
    do {
        server.process({network.now()});
        ada.process({network.now()});
        while (const auto event = ada.poll_event()) {
            acked = acked || std::holds_alternative<Acked>(*event);
        }
    } while (network.step());

    const long size = std::ftell(audit);
    std::printf("acknowledged: %s; the file has %ld bytes\n", acked ? "yes" : "no", size);
    return acked && size > 0 ? 0 : 1;
}
