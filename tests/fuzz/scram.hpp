#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "input.hpp"
#include "quicchat/auth/scram.hpp"
#include "quicchat/base/text.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

/// One login that is the same each time, with the four messages that it takes.
struct ScramScene {
    using Client = ScramClient<ReferenceCrypto>;
    using Server = ScramServer<ReferenceCrypto>;

    ScramScene() {
        binding.fill(std::byte{7});
        account.verifier.salt.fill(std::byte{3});
        account.verifier.iterations = 2;
        const ScramKeys keys =
            derive_scram_keys<ReferenceCrypto>(as_bytes("pencil"), account.verifier.salt, 2);
        account.verifier.stored_key = ReferenceCrypto::sha256(keys.client_key);
        account.verifier.server_key = keys.server_key;
        account.name = "ada";
        account.may_log_in = true;

        Client good_client = client();
        Server good_server = server();
        messages[0] = to_string(good_client.initial().value());
        must(good_server.handle_client_first(as_bytes(messages[0])).has_value());
        messages[1] = to_string(good_server.provide(account).value());
        messages[2] = to_string(good_client.handle_challenge(as_bytes(messages[1])).value());
        messages[3] = to_string(good_server.handle_client_final(as_bytes(messages[2])).value());
        must(good_client.handle_success(as_bytes(messages[3])).has_value());
    }

    Client client() const {
        ScramCredentials credentials;
        credentials.user = "ada";
        credentials.password = Secret{as_bytes("pencil")};
        credentials.iterations = {1, 3};
        return {credentials, binding, "0123456789abcdefghijklmn"};
    }
    Server server() const { return {binding, "ABCDEFGHIJKLMNOPQRSTUVWX"}; }

    ChannelBinding binding{};
    ScramLookUp account;
    std::array<std::string, 4> messages;
};

inline void check_nonce(std::string_view nonce) {
    must(!nonce.empty() && nonce.find(',') == nonce.npos);
    for (const char c : nonce) must(c > 0x20 && c < 0x7f);
}

/// What was read of a message is in it.
inline void check_scram_parsers(BytesView bytes) {
    const std::string_view text = as_text(bytes);
    const auto has = [&](std::string_view part) { return text.find(part) != text.npos; };
    if (const auto m = parse_scram_client_first(bytes)) {
        check_nonce(m->nonce);
        std::string escaped;
        for (const char c : m->user) {
            escaped += c == ',' ? "=2C" : c == '=' ? "=3D" : std::string{c};
        }
        must(text == std::string{scram_gs2_header} + std::string{m->bare});
        must(m->bare.starts_with("n=" + escaped + ",r=" + std::string{m->nonce}));
    }
    if (const auto m = parse_scram_server_first(bytes)) {
        check_nonce(m->nonce);
        must(m->iterations > 0);
        must(text.starts_with("r=" + std::string{m->nonce} + ",s=" + encode_base64(m->salt) +
                              ",i=" + std::to_string(m->iterations)));
    }
    if (const auto m = parse_scram_client_final(bytes)) {
        check_nonce(m->nonce);
        must(text == std::string{m->without_proof} + ",p=" + encode_base64(m->proof));
        must(has("c=" + encode_base64(m->channel_binding) + ",r=" + std::string{m->nonce}));
    }
    if (const auto m = parse_scram_server_final(bytes)) {
        must(m->signature.size() == 32 && has("v=" + encode_base64(m->signature)));
    }
    if (const auto decoded = decode_base64(text)) must(encode_base64(*decoded) == text);
}

/// One or two of the four messages are what somebody else says: nobody is let in, and no server is
/// believed, but by those that the password makes.
inline void fuzz_scram(BytesView bytes) {
    static const ScramScene scene;
    FuzzInput input{bytes};
    const std::uint8_t order = input.octet();
    auto messages = scene.messages;
    if ((order & 4) != 0) {
        const std::size_t length = input.octet();
        messages[(order / 8u) % 4] = to_string(input.take(length));
    }
    messages[order % 4] = to_string(input.rest());
    check_scram_parsers(input.rest());

    ScramScene::Server server = scene.server();
    if (server.handle_client_first(as_bytes(messages[0]))) {
        must(is_user_name(server.user()));
        const auto challenge = server.provide(scene.account);
        if (challenge) must(parse_scram_server_first(*challenge).has_value());
        const auto success = server.handle_client_final(as_bytes(messages[2]));
        const bool genuine = messages[0] == scene.messages[0] && messages[2] == scene.messages[2];
        must(success.has_value() == genuine);
    }
    must(!server.handle_client_final(as_bytes(scene.messages[2])));  // it is over in any case

    ScramScene::Client client = scene.client();
    must(to_string(client.initial().value()) == scene.messages[0]);
    const auto answer = client.handle_challenge(as_bytes(messages[1]));
    if (answer) must(parse_scram_client_final(*answer).has_value());
    const auto success = client.handle_success(as_bytes(messages[3]));
    // Extensions are skipped (RFC 5802 §5.1), and nobody signs those of the last message.
    const bool genuine = messages[1] == scene.messages[1] &&
                         (messages[3] + ',').starts_with(scene.messages[3] + ',');
    must(genuine || !success);
    if (messages[1] == scene.messages[1] && messages[3] == scene.messages[3]) must(!!success);
}

}  // namespace quicchat::test
