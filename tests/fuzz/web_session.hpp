#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "input.hpp"
#include "quicchat/base/match.hpp"
#include "quicchat/webtransport/codes.hpp"
#include "quicchat/webtransport/session.hpp"

namespace quicchat::test {

/// A WebTransport session with any client at the other end, and what it made of it.
class WebSessionFuzz {
public:
    explicit WebSessionFuzz(const webtransport::Config& config) : session_(config) { act(); }

    void feed(StreamId stream, BytesView bytes, bool fin) {
        fed_[stream] += bytes.size();
        session_.handle_data(stream, Bytes::copy_of(bytes), fin);
        act();
    }
    void reset(StreamId stream, std::uint64_t code) {
        session_.handle_reset(stream, code, now_);
        act();
    }
    void pass(Duration time) {
        now_ += time;
        session_.handle_timeout(now_);
        act();
        must(!session_.next_deadline() || *session_.next_deadline() > now_);
    }
    void close(std::uint64_t code) {
        session_.close(code, "because");
        act();
    }
    void datagram(BytesView bytes) {
        const auto payload = session_.payload_of(Bytes::copy_of(bytes));
        must(!payload || (session_.is_open() && payload->size() < bytes.size()));
    }

    /// What there is to tell, and what came on the page's streams.
    const std::string& told() const { return told_; }
    const std::map<StreamId, std::string>& pages() const { return pages_; }
    bool is_over() const { return over_; }

private:
    void act() {
        namespace actions = webtransport::actions;
        while (auto action = session_.poll_action()) {
            match(
                std::move(*action), [&](actions::WriteControl&& a) { must(!a.bytes.empty()); },
                [&](actions::Write&& a) {
                    must(!a.bytes.empty());
                    told_ += a.fin ? 'W' : 'w';
                },
                [&](actions::Reset&&) { told_ += 'r'; },
                [&](actions::Consume&& a) { settle(a.stream, a.bytes); },
                [&](actions::Violation&& a) {
                    must(!a.text.empty() && !std::exchange(over_, true));
                    told_ += 'v';
                },
                [&](actions::Established&&) {
                    must(session_.was_established() && !std::exchange(established_, true));
                    told_ += 'e';
                },
                [&](actions::PageData&& a) {
                    must(established_ && !over_);
                    const auto outer = session_.outer_stream(a.stream);
                    must(outer && session_.page_stream(*outer) == a.stream);
                    settle(*outer, a.bytes.size());
                    std::string& page = pages_[a.stream];
                    page += as_text(a.bytes.view());
                    if (a.fin) page += "|fin";
                },
                [&](actions::PageReset&& a) {
                    must(established_ && !over_);
                    pages_[a.stream] += "|reset";
                },
                [&](actions::PageClosed&& a) {
                    must(established_ && a.text.size() <= webtransport::close_text_bytes_max);
                    over_ = true;
                    told_ += 'c' + a.text;
                });
        }
        must(session_.held_bytes() <= webtransport::held_bytes_max || over_);
    }

    /// No byte is given back, or handed on, twice.
    void settle(StreamId stream, std::size_t bytes) {
        settled_[stream] += bytes;
        must(settled_[stream] <= fed_[stream]);
    }

    webtransport::Session session_;
    TimePoint now_{std::chrono::seconds{1}};
    std::map<StreamId, std::size_t> fed_;
    std::map<StreamId, std::size_t> settled_;
    std::map<StreamId, std::string> pages_;
    std::string told_;
    bool established_ = false;
    bool over_ = false;
};

/// Any client: what it says means the same in whole pieces and octet by octet.
inline void fuzz_web_session(BytesView bytes) {
    FuzzInput input{bytes};
    static const webtransport::Config config{.origins = {"https://chat.example"}};
    WebSessionFuzz whole{config};
    WebSessionFuzz split{config};
    const auto both = [&](auto act) { act(whole), act(split); };
    while (!input.empty()) {
        const std::uint8_t how = input.octet();
        const StreamId stream{(how & 0x0fu) * 2};
        if (how < 0xc0) {
            const bool fin = (how & 0x10) != 0;
            std::size_t size = input.octet();
            if ((how & 0x20) != 0) size += std::size_t{256} * (input.octet() % 80);
            const BytesView piece = input.take(size);
            whole.feed(stream, piece, fin);
            for (std::size_t i = 0; i < piece.size(); ++i) {
                split.feed(stream, piece.subspan(i, 1), fin && i + 1 == piece.size());
            }
            if (piece.empty()) split.feed(stream, {}, fin);
        } else if (how < 0xd0) {
            const std::uint64_t code = webtransport::codes::to_http(input.octet());
            both([&](WebSessionFuzz& fuzz) { fuzz.reset(stream, code); });
        } else if (how < 0xe0) {
            const std::uint64_t code = 0x100u + input.octet() % 20u;
            both([&](WebSessionFuzz& fuzz) { fuzz.reset(stream, code); });
        } else if (how < 0xf0) {
            const std::chrono::milliseconds time{input.octet()};
            both([&](WebSessionFuzz& fuzz) { fuzz.pass(time); });
        } else if (how < 0xff) {
            const BytesView payload = input.take(input.octet());
            both([&](WebSessionFuzz& fuzz) { fuzz.datagram(payload); });
        } else {
            const std::uint64_t code = input.octet();
            both([&](WebSessionFuzz& fuzz) { fuzz.close(code); });
        }
        must(whole.is_over() == split.is_over());
        if (whole.is_over()) break;
        must(whole.told() == split.told() && whole.pages() == split.pages());
    }
}

}  // namespace quicchat::test
