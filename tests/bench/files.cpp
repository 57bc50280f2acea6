// Files over loopback QUIC, to and from a folder on disk: how fast they are, and what they cost the
// messages of another room. Server and clients are separate processes. `files --help` says how to
// use it.

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "process_figures.hpp"
#include "quic_chat.hpp"
#include "quicchat/disk/disk_files.hpp"

using namespace quicchat;
using namespace quicchat::bench;

namespace {

/// No end of files, whatever the machine does in the time.
Limits file_limits() {
    Limits limits = bench_limits();
    limits.file_bytes_per_account = limits.upload_bytes_per_account = {1ull << 40, 1ull << 40};
    limits.files_per_account_bytes_max = 1ull << 40;
    limits.files_per_room_bytes_max = limits.files_bytes_max = 1ull << 40;
    return limits;
}

using Files = DiskFiles<quic::WolfCrypto>;

constexpr std::size_t readers = 10;

void serve_files(int control, const std::string& folder) {
    const std::array<std::byte, 32> secret{};
    auto files = Files::open(folder, secret);
    if (!files) {
        std::fprintf(stderr, "%s\n", files.error().text.c_str());
        std::exit(1);
    }
    serve(control,
          [&](quic::UdpSocket socket, quic::Endpoint endpoint, quic::Authenticator logins) {
              return std::make_unique<quic::Driver<quic::Server>>(
                  std::move(socket), std::move(endpoint), MemoryLog{quic::system_entropy()},
                  std::move(logins), quic::system_entropy(), ServerConfig{.limits = file_limits()},
                  *std::move(files));
          });
}

double seconds_since(std::uint64_t begin) {
    return static_cast<double>(monotonic_ns() - begin) / 1e9;
}

/// People who chat in one room, and behind them others who send and fetch files in another.
class Scene {
public:
    Scene(std::size_t file_bytes, std::size_t transfers)
        : folder_(std::filesystem::temp_directory_path() / "quicchat-bench-files"),
          server_([&](int control) { serve_files(control, folder_.string()); }),
          crowd_(server_.port()),
          content_(file_bytes, std::byte{'x'}),
          transfers_(transfers) {
        for (std::size_t i = 0; i < readers + transfers; ++i) crowd_.add();
        run([&] { return online_ == crowd_.size(); });
        for (std::size_t i = 0; i < readers; ++i) (void)crowd_.client(i).join("#lobby");
        (void)crowd_.client(readers).create_room("#files");
        for (std::size_t i = 0; i < crowd_.size(); ++i) crowd_.turn_now(i);
        run([&] { return joined_ == readers && acked_ == 1; });
    }
    ~Scene() { std::filesystem::remove_all(folder_); }

    /// Each sends a file, all at a time. Returns the seconds.
    double send_all() {
        const std::uint64_t begin = monotonic_ns();
        const std::size_t goal = acked_ + transfers_;
        for (std::size_t i = 0; i < transfers_; ++i) send_file(readers + i);
        run([&] { return acked_ == goal; });
        return seconds_since(begin);
    }

    /// Each fetches a file, all at a time. Returns the seconds.
    double fetch_all() {
        const std::uint64_t begin = monotonic_ns();
        const std::size_t goal = fetched_ + transfers_;
        for (std::size_t i = 0; i < transfers_; ++i) fetch_file(readers + i);
        run([&] { return fetched_ == goal; });
        return seconds_since(begin);
    }

    enum class Load { none, sending, fetching };

    /// Latencies of messages, one every 5 ms, while files are sent or fetched without a pause.
    std::vector<double> chat(double seconds, Load load) {
        load_ = load;
        for (std::size_t i = 0; i < transfers_; ++i) go_on(readers + i);
        latencies_.clear();
        const std::uint64_t begin = monotonic_ns();
        std::uint64_t next = begin;
        while (seconds_since(begin) < seconds) {
            run([&] { return monotonic_ns() >= next; });
            char stamp[21];
            std::snprintf(stamp, sizeof stamp, "%020llu",
                          static_cast<unsigned long long>(monotonic_ns()));
            (void)crowd_.client(0).publish("#lobby", stamp);
            crowd_.turn_now(0);
            next += 5'000'000;
        }
        load_ = Load::none;
        const std::size_t goal = messages_;
        const std::size_t files = under_way_;
        run([&] { return messages_ >= goal && under_way_ == 0; });
        (void)files;
        return std::move(latencies_);
    }

private:
    template <class Done>
    void run(Done done) {
        crowd_.run([&](std::size_t index, const ClientEvent& event) { handle(index, event); },
                   done);
    }

    void handle(std::size_t index, const ClientEvent& event) {
        if (std::holds_alternative<Online>(event)) ++online_;
        if (std::holds_alternative<RoomJoined>(event)) ++joined_;
        if (const auto* wanted = std::get_if<FileWanted>(&event)) {
            const BytesView all{content_};
            const auto from = static_cast<std::size_t>(wanted->offset);
            (void)crowd_.client(index).give_file(wanted->request, wanted->offset,
                                                 all.subspan(from, wanted->bytes_max));
        }
        if (const auto* message = std::get_if<RoomMessage>(&event)) {
            ++messages_;
            const std::uint64_t sent = std::stoull(message->text.substr(0, 20));
            latencies_.push_back(static_cast<double>(monotonic_ns() - sent) / 1000);
        }
        if (const auto* refused = std::get_if<Refused>(&event)) {
            std::fprintf(stderr, "refused: %s\n", std::string{error_name(refused->errc)}.c_str());
            std::exit(1);
        }
        if (std::holds_alternative<Acked>(event)) {
            ++acked_;
            if (index >= readers) end(index);
        }
        if (std::holds_alternative<FileFetched>(event)) {
            ++fetched_;
            end(index);
        }
    }

    void send_file(std::size_t index) {
        ++under_way_;
        const Digest digest = quic::WolfCrypto::sha256(content_);
        FileToSend file{.name = "bench",
                        .size = content_.size(),
                        .digest = Buffer(digest.begin(), digest.end())};
        (void)crowd_.client(index).send_file("#files", std::move(file));
        crowd_.turn_now(index);
    }
    void fetch_file(std::size_t index) {
        ++under_way_;
        (void)crowd_.client(index).fetch_file("#files", 2 + index - readers);
        crowd_.turn_now(index);
    }
    void end(std::size_t index) {
        if (under_way_ > 0) --under_way_;
        go_on(index);
    }
    void go_on(std::size_t index) {
        if (load_ == Load::sending) send_file(index);
        if (load_ == Load::fetching) fetch_file(index);
    }

    std::filesystem::path folder_;
    ChildProcess server_;
    Crowd crowd_;
    Buffer content_;
    std::size_t transfers_;
    Load load_ = Load::none;
    std::size_t online_ = 0;
    std::size_t joined_ = 0;
    std::size_t acked_ = 0;
    std::size_t fetched_ = 0;
    std::size_t messages_ = 0;
    std::size_t under_way_ = 0;
    std::vector<double> latencies_;
};

constexpr std::string_view help =
    "Measures files over loopback QUIC, and the messages of another room meanwhile.\n"
    "\n"
    "  files [--bytes N] [--transfers N] [--seconds S] [--rounds N]\n"
    "\n"
    "  --bytes N      bytes of a file (16777216)\n"
    "  --transfers N  files at a time, each on a connection of its own (2)\n"
    "  --seconds S    seconds per measurement of messages (4)\n"
    "  --rounds N     rounds, each with a new server (3)\n";

}  // namespace

int main(int argc, char** argv) {
    std::size_t bytes = 16 << 20;
    std::size_t transfers = 2;
    double seconds = 4;
    int rounds = 3;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const char* value = i + 1 < argc ? argv[++i] : nullptr;
        if (option == "--bytes" && value) {
            bytes = std::stoul(value);
        } else if (option == "--transfers" && value) {
            transfers = std::stoul(value);
        } else if (option == "--seconds" && value) {
            seconds = std::stod(value);
        } else if (option == "--rounds" && value) {
            rounds = std::stoi(value);
        } else {
            std::fputs(help.data(), option == "--help" ? stdout : stderr);
            return option == "--help" ? 0 : 64;
        }
    }
    const double megabytes = static_cast<double>(bytes * transfers) / 1e6;
    for (int round = 1; round <= rounds; ++round) {
        Scene scene{bytes, transfers};
        std::printf("round %d, %zu files of %.1f MB at a time:\n", round, transfers,
                    static_cast<double>(bytes) / 1e6);
        std::printf("  sent    %.0f MB/s\n", megabytes / scene.send_all());
        std::printf("  fetched %.0f MB/s\n", megabytes / scene.fetch_all());
        double base = 0;
        for (const auto& [load, name] :
             {std::pair{Scene::Load::none, "no files"}, std::pair{Scene::Load::sending, "sending"},
              std::pair{Scene::Load::fetching, "fetching"}}) {
            std::vector<double> latencies = scene.chat(seconds, load);
            const double p50 = percentile(latencies, 0.50);
            const double p99 = percentile(latencies, 0.99);
            if (load == Scene::Load::none) base = p99;
            std::printf("  messages, %-8s: p50 %.0f us, p99 %.0f us, %.2f x\n", name, p50, p99,
                        p99 / base);
        }
        std::fflush(stdout);
    }
    return 0;
}
