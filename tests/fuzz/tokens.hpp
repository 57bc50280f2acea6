#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "input.hpp"
#include "quicchat/auth/device_authenticator.hpp"
#include "quicchat/auth/device_login.hpp"
#include "quicchat/auth/memory_accounts.hpp"
#include "unit/auth/reference_crypto.hpp"

namespace quicchat::test {

/// A server that knows Ada and her device, which has a token of generation 1.
class TokenScene {
public:
    TokenScene() {
        binding.fill(std::byte{7});
        device.bytes.fill(std::byte{1});
        Buffer key(device_token_bytes, std::byte{9});
        token = {1, Secret{key}};
        Verifier verifier;
        verifier.iterations = scram_iterations_floor;
        must(book->add("Ada", verifier).has_value());
        Device known{.id = device};
        known.current = derive_token_keys<ReferenceCrypto>(token);
        (void)book->save_device("Ada", known);
    }

    /// What the holder of the token says, who may spell the name in another way.
    TokenLogin login(std::string_view user, std::uint64_t generation) const {
        return make_token_login<ReferenceCrypto>(user, device, {generation, token.key}, binding);
    }

    ChannelBinding binding{};
    DeviceId device;
    DeviceToken token;
    std::shared_ptr<MemoryAccounts> book = std::make_shared<MemoryAccounts>();
    DeviceAuthenticator<ReferenceCrypto> authenticator{book, as_bytes("a secret of enough bytes"),
                                                       Entropy::seeded(1)};
};

/// Any claim to any mechanism, and any answers after it: only who has the token is let in, and only
/// the server that knows it is believed.
inline void fuzz_tokens(BytesView bytes) {
    TokenScene scene;
    FuzzInput input{bytes};
    const std::uint8_t order = input.octet();
    if (const auto claim = parse_token_claim(input.rest())) {
        const Buffer again = encode_token_claim(*claim);
        must(std::ranges::equal(again, input.rest()));
        must(is_user_name(claim->user) && claim->generation != 0);
        const bool proven =
            verify_token_claim<ReferenceCrypto>(*claim, scene.device, scene.binding,
                                                derive_token_keys<ReferenceCrypto>(scene.token))
                .proven;
        must(proven == (claim->proof == scene.login(claim->user, claim->generation).claim.proof));
    }

    const auto exchange = scene.authenticator.begin(Buffer(login_entropy_bytes, std::byte{2}));
    const auto devices = scene.book->devices("ada");
    std::string mechanism{order % 4 == 0 ? token_mechanism : scram_mechanism};
    if (order % 4 == 3) mechanism = as_text(input.take(input.octet()));
    DeviceId device = scene.device;
    if ((order & 4) != 0) device.bytes[0] ^= std::byte{1};
    const std::size_t length = (order & 8) != 0 ? input.octet() : SIZE_MAX;
    const BytesView data = input.take(length);
    LoginStep step = exchange->start({mechanism, data, scene.binding, device, "[::1]:4433", {}});
    const auto claim = parse_token_claim(data);
    const bool shown = mechanism == token_mechanism && device == scene.device && claim &&
                       is_same_name(claim->user, "ada") && claim->generation == 1 &&
                       claim->proof == scene.login(claim->user, 1).claim.proof;
    must(std::holds_alternative<LoginAccepted>(step) == shown);
    if (!shown) {
        while (std::holds_alternative<LoginChallenge>(step)) {
            step = exchange->respond(input.take(input.octet()));
        }
        must(std::holds_alternative<LoginRefused>(step));
        must(scene.book->devices("ada") == devices);  // nothing is proven, so nothing is lost
    }
    must(std::holds_alternative<LoginRefused>(exchange->respond({})));

    auto login = DeviceLogin<ReferenceCrypto>::create("ada", std::nullopt, scene.token).value();
    must(login.start(scene.binding, scene.device, {}).has_value());
    const bool believed = login.finish(data).has_value();
    must(believed == std::ranges::equal(data, scene.login("ada", 1).server_signature));
}

}  // namespace quicchat::test
