// Ada sends a file into a room and bob fetches it, in one program and without a network. The client
// never opens a file itself: it asks for the bytes that it wants next, and hands over those that
// come. So they may be on a disk, in memory or made as they are asked for.

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <utility>
#include <variant>

#include "quicchat/file/memory_files.hpp"
#include "quicchat/memory.hpp"
#include "quicchat/quic.hpp"

using namespace quicchat;

namespace {

/// Files in memory, for this example; quicchat::sqlite has DiskFiles, which keeps them in a folder.
using Files = MemoryFiles<quic::WolfCrypto>;

Buffer sha256(BytesView bytes) {
    const Digest digest = quic::WolfCrypto::sha256(bytes);
    return Buffer(digest.begin(), digest.end());
}

/// Sends one file as soon as it is in the room.
class Sender {
public:
    Sender(memory::Client& client, Buffer content)
        : client_(&client), content_(std::move(content)) {}

    void handle(const ClientEvent& event) {
        if (std::holds_alternative<RoomJoined>(event)) {
            (void)client_->send_file(
                "#lobby",
                {.name = "numbers.bin", .size = content_.size(), .digest = sha256(content_)});
        } else if (const auto* wanted = std::get_if<FileWanted>(&event)) {
            const BytesView rest = BytesView{content_}.subspan(wanted->offset);
            (void)client_->give_file(wanted->request, wanted->offset,
                                     rest.first(std::min(rest.size(), wanted->bytes_max)));
        } else if (const auto* acked = std::get_if<Acked>(&event)) {
            std::printf("ada: my file is stored, at %llu\n",
                        static_cast<unsigned long long>(acked->offset));
        }
    }

private:
    memory::Client* client_;
    Buffer content_;
};

/// Fetches what somebody sends.
class Receiver {
public:
    explicit Receiver(memory::Client& client) : client_(&client) {}

    bool has_it() const { return has_it_; }

    void handle(const ClientEvent& event) {
        if (const auto* message = std::get_if<RoomMessage>(&event); message && message->file) {
            std::printf("bob: %s sends %s, %llu bytes\n", message->from.c_str(),
                        message->text.c_str(),
                        static_cast<unsigned long long>(message->file->size));
            (void)client_->fetch_file(message->room, message->offset);
        } else if (const auto* begun = std::get_if<FileBegun>(&event)) {
            digest_ = begun->digest;
        } else if (const auto* chunk = std::get_if<FileChunk>(&event)) {
            const BytesView bytes = chunk->bytes.view();
            content_.insert(content_.end(), bytes.begin(), bytes.end());
        } else if (std::holds_alternative<FileFetched>(event)) {
            has_it_ = sha256(content_) == digest_;  // the client leaves that to us
            std::printf("bob: %s\n", has_it_ ? "I have it, and it is the one that was sent"
                                             : "this is another file");
        }
    }

private:
    memory::Client* client_;
    Buffer content_;
    Buffer digest_;
    bool has_it_ = false;
};

}  // namespace

int main() {
    memory::Network network{{.seed = 1}};
    memory::Server server{network.listen("chat"), MemoryLog{Entropy::seeded(2)},
                          NameAuthenticator{},    Entropy::seeded(3),
                          ServerConfig{},         Files{}};
    memory::Client ada{network.dial("chat"), *NameLogin::create("ada"), Entropy::seeded(4)};
    memory::Client bob{network.dial("chat"), *NameLogin::create("bob"), Entropy::seeded(5)};
    Sender sender{ada, Buffer(1'000'000, std::byte{42})};
    Receiver receiver{bob};

    const auto now = [&] { return Now{network.now()}; };
    const auto serve = [&](memory::Client& client, auto& person) {
        client.process(now());
        while (std::optional<ClientEvent> event = client.poll_event()) {
            if (std::holds_alternative<Online>(*event)) (void)client.join("#lobby");
            person.handle(*event);
        }
        client.process(now());  // what the events made it do
    };
    ada.connect(now());
    bob.connect(now());
    do {
        server.process(now());
        serve(ada, sender);
        serve(bob, receiver);
    } while (network.step());
    return receiver.has_it() ? 0 : 1;
}
