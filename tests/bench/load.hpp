#pragma once

// What the load clients have in common: options, figures, and the line that they print. A `Load` is
// the crowd of one kind of clients: see `Loads` below for what it has to do.

#include <sys/resource.h>

#include <algorithm>
#include <cinttypes>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "process_figures.hpp"

namespace quicchat::bench {

struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 21600;
    pid_t pid = 0;
    std::size_t subs = 100;
    std::size_t rooms = 1;
    std::size_t size = 100;
    std::size_t conc = 16;
    std::size_t flood = 0;
    std::size_t burst = 0;
    std::size_t window = 64;
    std::size_t acks = 0;
    std::size_t handshakes = 0;
    std::size_t busy = 0;
    double rate = 0;
    double secs = 10;
    double base = 0;
    double idle = -1;
    bool full = false;
    bool bare = false;
    bool hold = true;
    std::string proto = "qc";
};

inline Options options;

inline constexpr std::string_view load_options =
    "  --pid PID           the server's process, for its CPU time and memory\n"
    "  --subs M            members, with the publisher (100)\n"
    "  --rooms R           each member joins the rooms #r0 to #rR-1; messages go round (1: "
    "#lobby)\n"
    "  --size B            bytes of a text, 32 at least (100)\n"
    "  --conc N            connections that are made at a time (16)\n"
    "\n"
    "WHAT is one of\n"
    "  --flood K --burst B     K messages, B at once, the next B when everybody has them\n"
    "  --flood K --window W    K messages, at most W that not everybody has\n"
    "  --rate R [--secs S] [--base MS]\n"
    "                          R messages a second; later than MS counts as delayed\n"
    "  --busy R --rate Q       R messages a second into the first room, Q a second into the "
    "others,\n"
    "                          whose delays are shown\n"
    "  --acks K --window W     from publish to acknowledgement, W under way; one member is enough\n"
    "  --idle S                holds the connections for S seconds\n"
    "  --handshakes N          connects, logs in and closes\n"
    "  --bare                  with the last two: without a login\n";

/// Of the program, for `--help` and for options that it does not know.
inline std::string_view help;

[[noreturn]] inline void refuse_arguments() {
    std::fputs(help.data(), stderr);
    std::exit(64);
}

[[noreturn]] inline void fail(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

inline void parse(int argc, char** argv) {
    Options& o = options;
    const auto take = [&](std::string_view option, const std::string& value) {
        const auto number = [&] { return static_cast<std::size_t>(std::stoull(value)); };
        if (option == "--host") return void(o.host = value);
        if (option == "--proto") return void(o.proto = value);
        if (option == "--port") return void(o.port = static_cast<std::uint16_t>(number()));
        if (option == "--pid") return void(o.pid = static_cast<pid_t>(number()));
        if (option == "--subs") return void(o.subs = number());
        if (option == "--rooms") return void(o.rooms = number());
        if (option == "--size") return void(o.size = std::max<std::size_t>(number(), 32));
        if (option == "--conc") return void(o.conc = number());
        if (option == "--flood") return void(o.flood = number());
        if (option == "--burst") return void(o.burst = o.window = number());
        if (option == "--window") return void(o.window = number());
        if (option == "--acks") return void(o.acks = number());
        if (option == "--handshakes") return void(o.handshakes = number());
        if (option == "--busy") return void(o.busy = number());
        if (option == "--rate") return void(o.rate = std::stod(value));
        if (option == "--secs") return void(o.secs = std::stod(value));
        if (option == "--base") return void(o.base = std::stod(value));
        if (option == "--idle") return void(o.idle = std::stod(value));
        refuse_arguments();
    };
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--help") {
            std::fputs(help.data(), stdout);
            std::exit(0);
        }
        bool* flag = option == "--full"      ? &o.full
                     : option == "--bare"    ? &o.bare
                     : option == "--no-hold" ? &o.hold
                                             : nullptr;
        if (flag != nullptr) {
            *flag = option != "--no-hold";
        } else if (i + 1 < argc) {
            take(option, argv[++i]);
        } else {
            refuse_arguments();
        }
    }
    const int kinds =
        (o.flood != 0) + (o.rate > 0) + (o.acks != 0) + (o.idle >= 0) + (o.handshakes != 0);
    if (kinds != 1 || o.subs == 0 || o.rooms == 0 || o.window == 0) refuse_arguments();
    if (o.busy != 0 && o.rooms < 2) refuse_arguments();
}

// --- Figures -------------------------------------------------------------------------------------

/// Of this machine, the server and this process, between two points in time.
class Figures {
public:
    Figures() : wall_ns_(monotonic_ns()), mine_(measure_process().cpu_ns), server_(server_cpu()) {
        std::string word;
        std::ifstream stat{"/proc/stat"};
        std::uint64_t user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0;
        stat >> word >> user >> nice >> system >> idle >> wait >> irq >> softirq >> steal_;
        busy_ = user + nice + system + irq + softirq;
    }

    static double server_kib() {
        std::ifstream status{"/proc/" + std::to_string(options.pid) + "/status"};
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmRSS:")) return std::stod(line.substr(6));
        }
        return 0;
    }

    double wall() const { return static_cast<double>(monotonic_ns() - wall_ns_) / 1e9; }
    double server() const { return static_cast<double>(server_cpu() - server_) / 1e9; }
    double mine() const { return static_cast<double>(measure_process().cpu_ns - mine_) / 1e9; }
    /// Percent of one core that neither the server nor this process took.
    double others() const {
        return (static_cast<double>(Figures{}.busy_ - busy_) / 100 - server() - mine()) / wall() *
               100;
    }
    double steal() const {
        return static_cast<double>(Figures{}.steal_ - steal_) / 100 / wall() * 100;
    }

private:
    static std::uint64_t server_cpu() {
        clockid_t clock{};
        if (options.pid == 0 || clock_getcpuclockid(options.pid, &clock) != 0) return 0;
        return read_clock_ns(clock);
    }

    std::uint64_t wall_ns_;
    std::uint64_t mine_;
    std::uint64_t server_;
    std::uint64_t busy_ = 0;
    std::uint64_t steal_ = 0;
};

// --- What is sent and received -------------------------------------------------------------------

/// Before a text's filling: when it was sent, its number and its room.
inline constexpr std::string_view mark = "@#@#";
inline constexpr std::size_t stamp_bytes = 16 + 8 + 4;

struct Received {
    std::size_t deliveries = 0;
    std::size_t gaps = 0;
    std::vector<double> latencies_us;
};

inline Received received;

struct Sent {
    std::uint32_t published = 0;
    std::size_t acked = 0;
    std::vector<std::uint64_t> at_ns;  ///< With --acks, by number.
    std::vector<double> ack_us;
};

inline Sent sent;

inline std::string room_name(std::size_t room) {
    return options.rooms == 1 ? "#lobby" : "#r" + std::to_string(room);
}

inline std::string make_text(std::uint32_t number, std::size_t room) {
    char stamp[mark.size() + stamp_bytes + 1];
    std::snprintf(stamp, sizeof stamp, "@#@#%016" PRIx64 "%08" PRIx32 "%04x", monotonic_ns(),
                  number, static_cast<unsigned>(room));
    std::string text{stamp};
    text.resize(options.size, 'x');
    return text;
}

/// One member, as the load sees it.
struct LoadMember {
    std::size_t index = 0;
    std::vector<std::uint32_t> last;  ///< Number of the last message, by room.
    std::size_t joined = 0;
    bool is_online = false;
    bool is_ready = false;
};

inline std::uint64_t from_hex(std::string_view digits) {
    std::uint64_t value = 0;
    for (const char c : digits) {
        value = value << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

/// `text` is what follows the mark.
inline void note_message(LoadMember& member, std::string_view text) {
    const std::uint64_t time = from_hex(text.substr(0, 16));
    const auto number = static_cast<std::uint32_t>(from_hex(text.substr(16, 8)));
    const auto room = static_cast<std::size_t>(from_hex(text.substr(24, 4)));
    member.last.resize(std::max(member.last.size(), room + 1));
    std::uint32_t& last = member.last[room];
    // With --busy, rooms do not take turns.
    const bool follows =
        options.busy != 0 ? number > last : last == 0 || number == last + options.rooms;
    received.gaps += follows ? 0 : 1;
    last = number;
    ++received.deliveries;
    if (options.busy == 0 || room != 0) {
        received.latencies_us.push_back(static_cast<double>(monotonic_ns() - time) / 1000);
    }
}

/// All members, in one loop.
template <class Load>
concept Loads = requires(Load load, const Load& view, std::size_t index) {
    load.dial();              // one more
    load.pump(50);            // does what is due, for at most so many milliseconds
    load.turn(index);         // sends what one of them has to say
    load.join(index, index);  // one of them, a room
    load.skim(index);         // from now on it looks for texts only
    load.publish();           // the first one, into the rooms by turns
    load.publish(index);      // into that room
    load.drop(index);         // one of them leaves
    { view.has(index) } -> std::same_as<bool>;
    { load.member(index) } -> std::same_as<LoadMember&>;
    { view.size() } -> std::same_as<std::size_t>;
};

// --- What is measured ----------------------------------------------------------------------------

template <Loads Load>
int measure_handshakes(Load& load) {
    constexpr std::size_t warm = 32;
    const std::size_t count = options.handshakes + warm;
    std::optional<Figures> begin;
    std::size_t done = 0;
    std::size_t first = 0;
    while (done < count) {
        while (load.size() - done < options.conc && load.size() < count) load.dial();
        load.pump(50);
        for (std::size_t i = first; i < load.size(); ++i) {
            if (!load.has(i) || !load.member(i).is_online) continue;
            load.drop(i);
            if (++done == warm) begin.emplace();
        }
        while (first < load.size() && !load.has(first)) ++first;
    }
    const auto n = static_cast<double>(options.handshakes);
    std::printf(
        "handshakes proto=%s bare=%d n=%zu per_s=%.0f server_cpu_ms/conn=%.4f "
        "client_cpu_ms/conn=%.4f per_server_cpu_s=%.0f\n",
        options.proto.c_str(), options.bare, options.handshakes, n / begin->wall(),
        begin->server() * 1e3 / n, begin->mine() * 1e3 / n, n / begin->server());
    return 0;
}

/// Everybody online and in all rooms. Returns the server's memory when a hundred were there.
template <Loads Load>
double gather(Load& load) {
    const Figures begin;
    const std::size_t rooms = options.bare ? 0 : options.rooms;
    double kib_at_100 = 0;
    std::size_t ready = 0;
    std::size_t first = 0;
    std::vector<bool> asked(options.subs);
    while (ready < options.subs) {
        while (load.size() < options.subs && load.size() - ready < options.conc) load.dial();
        load.pump(50);
        for (std::size_t i = first; i < load.size(); ++i) {
            LoadMember& member = load.member(i);
            if (!member.is_online || member.is_ready) continue;
            if (!asked[i]) {
                asked[i] = true;
                for (std::size_t r = 0; r < rooms; ++r) load.join(i, r);
                load.turn(i);
            }
            if (member.joined < rooms) continue;
            member.is_ready = true;
            if (++ready == 100) kib_at_100 = Figures::server_kib();
        }
        while (first < load.size() && load.member(first).is_ready) ++first;
        if (begin.wall() > 180) fail("only " + std::to_string(ready) + " are ready after 180 s");
    }
    const auto n = static_cast<double>(options.subs);
    std::printf(
        "setup proto=%s conns=%zu conc=%zu wall=%.3fs conn/s=%.0f server_cpu_ms/conn=%.3f "
        "client_cpu_ms/conn=%.3f\n",
        options.proto.c_str(), options.subs, options.conc, begin.wall(), n / begin.wall(),
        begin.server() * 1e3 / n, begin.mine() * 1e3 / n);
    std::fflush(stdout);
    return kib_at_100;
}

template <Loads Load>
void pump_for(Load& load, double seconds) {
    for (const Figures begin; begin.wall() < seconds;) load.pump(50);
}

template <Loads Load>
int measure_idle(Load& load, double kib_before, double kib_at_100) {
    const Figures begin;
    pump_for(load, options.idle);
    const double kib = Figures::server_kib();
    const auto n = static_cast<double>(options.subs);
    std::printf(
        "idle  proto=%s conns=%zu rss_before=%.0fKiB rss_after=%.0fKiB KiB/conn=%.2f "
        "KiB/conn_beyond_100=%.2f idle_cpu=%.2f%%\n",
        options.proto.c_str(), options.subs, kib_before, kib, (kib - kib_before) / n,
        n > 100 ? (kib - kib_at_100) / (n - 100) : 0, begin.server() / begin.wall() * 100);
    return 0;
}

template <Loads Load>
int measure_acks(Load& load) {
    const Figures begin;
    while (sent.acked < options.acks) {
        bool has_published = false;
        while (sent.published < options.acks && sent.published - sent.acked < options.window) {
            load.publish();
            has_published = true;
        }
        if (has_published) load.turn(0);
        load.pump(has_published ? 0 : 200);
    }
    const auto n = static_cast<double>(sent.acked);
    std::vector<double>& us = sent.ack_us;
    std::printf(
        "acks proto=%s window=%zu n=%zu per_s=%.0f server_cpu_us=%.2f ack_us p50=%.0f p90=%.0f "
        "p99=%.0f max=%.0f\n",
        options.proto.c_str(), options.window, sent.acked, n / begin.wall(),
        begin.server() * 1e6 / n, percentile(us, .5), percentile(us, .9), percentile(us, .99),
        percentile(us, 1));
    return 0;
}

/// `count` messages in bursts or with a window. Ends early if nothing comes for five seconds.
template <Loads Load>
void flood(Load& load, std::size_t count) {
    const std::size_t before = received.deliveries;
    const std::uint32_t base = sent.published;
    const auto out = [&] { return std::size_t{sent.published - base}; };
    std::uint64_t moved_ns = monotonic_ns();
    std::size_t last = before;
    while (received.deliveries - before < count * options.subs) {
        const std::size_t begun = out();
        const std::size_t open = out() * options.subs - (received.deliveries - before);
        if (options.burst == 0 || open == 0) {
            while (out() < count &&
                   open + (out() - begun) * options.subs < options.window * options.subs) {
                load.publish();
            }
        }
        if (out() > begun) load.turn(0);
        load.pump(out() > begun ? 0 : 200);
        if (received.deliveries != last) {
            last = received.deliveries;
            moved_ns = monotonic_ns();
        }
        if (monotonic_ns() - moved_ns > 5'000'000'000) return;
    }
}

/// At fixed times, whatever has arrived by then. Afterwards it waits for what is missing.
template <Loads Load>
void publish_steadily(Load& load) {
    const auto end = monotonic_ns() + static_cast<std::uint64_t>(options.secs * 1e9);
    const auto interval = [](double rate) { return static_cast<std::uint64_t>(1e9 / rate); };
    std::uint64_t next = monotonic_ns() + interval(options.rate);
    std::uint64_t busy_next = options.busy != 0 ? monotonic_ns() : end;
    const std::uint32_t base = sent.published;
    std::size_t quiet_room = 0;
    while (monotonic_ns() < end) {
        const std::uint64_t now = monotonic_ns();
        const std::uint64_t due = std::min(next, busy_next);
        if (now < due) {
            load.pump(static_cast<int>((due - now) / 1'000'000));
            continue;
        }
        if (busy_next <= now) {
            load.publish(0);
            busy_next += interval(static_cast<double>(options.busy));
        }
        if (next <= now) {
            if (options.busy != 0) {
                load.publish(1 + quiet_room++ % (options.rooms - 1));
            } else {
                load.publish();
            }
            next += interval(options.rate);
        }
        load.turn(0);
    }
    const std::size_t expected = std::size_t{sent.published - base} * options.subs;
    for (const Figures begin; received.deliveries < expected && begin.wall() < 8;) load.pump(50);
}

template <Loads Load>
int measure_deliveries(Load& load) {
    for (std::size_t i = 1; i < options.subs; ++i) load.skim(i);
    // Congestion windows and caches.
    if (options.flood != 0) flood(load, options.burst != 0 ? 20 * options.burst : 512);
    const std::uint32_t base = sent.published;
    received.deliveries = received.gaps = 0;
    received.latencies_us.clear();
    const Figures begin;
    if (options.flood != 0) {
        flood(load, options.flood);
    } else {
        publish_steadily(load);
    }

    const double wall = begin.wall();
    const double server = begin.server();
    const double mine = begin.mine();
    const double others = begin.others();
    const double steal = begin.steal();
    const std::uint32_t messages = sent.published - base;
    const auto n = static_cast<double>(received.deliveries);
    const char* mode = options.flood == 0   ? "mode=rate msg/s"
                       : options.burst != 0 ? "mode=burst window"
                                            : "mode=stream window";
    std::vector<double>& us = received.latencies_us;
    std::printf(
        "%s proto=%s subs=%zu size=%zu %s=%.0f msgs=%" PRIu32
        " deliveries=%zu lost=%td gaps=%zu wall=%.2fs deliveries/s=%.0f server_cpu_s/M=%.3f "
        "server_util=%.0f%% client_util=%.0f%% client_cpu_s/M=%.3f lat_us p50=%.0f p90=%.0f "
        "p99=%.0f p99.9=%.0f max=%.0f rss=%.0fKiB others=%.0f%% steal=%.0f%%",
        options.flood != 0 ? "flood" : "rate ", options.proto.c_str(), options.subs, options.size,
        mode, options.flood != 0 ? static_cast<double>(options.window) : options.rate, messages,
        received.deliveries,
        static_cast<std::ptrdiff_t>(std::size_t{messages} * options.subs) -
            static_cast<std::ptrdiff_t>(received.deliveries),
        received.gaps, wall, n / wall, server / n * 1e6, server / wall * 100, mine / wall * 100,
        mine / n * 1e6, percentile(us, .5), percentile(us, .9), percentile(us, .99),
        percentile(us, .999), percentile(us, 1), Figures::server_kib(), others, steal);
    if (options.base > 0) {
        const auto late =
            std::count_if(us.begin(), us.end(), [](double x) { return x > options.base * 1000; });
        std::printf(" delayed>%.0fms=%.3f%%", options.base,
                    100 * static_cast<double>(late) / static_cast<double>(us.size()));
    }
    std::putchar('\n');
    return 0;
}

/// The whole program. `own_help`: of this one, before what all have in common.
template <Loads Load>
int run_load(int argc, char** argv, std::string_view own_help) {
    static const std::string all = std::string{own_help} + std::string{load_options};
    help = all;
    parse(argc, argv);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    Load load;
    if (options.handshakes != 0) return measure_handshakes(load);
    received.latencies_us.reserve(1u << 22);
    const double kib_before = Figures::server_kib();
    const double kib_at_100 = gather(load);
    pump_for(load, 0.3);
    const int status = options.idle >= 0   ? measure_idle(load, kib_before, kib_at_100)
                       : options.acks != 0 ? measure_acks(load)
                                           : measure_deliveries(load);
    // Or else the next load finds a server that sends to them still.
    for (std::size_t i = 0; i < load.size(); ++i) load.drop(i);
    return status;
}

}  // namespace quicchat::bench
