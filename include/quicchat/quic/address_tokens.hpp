#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace quicchat::quic {

/// Where a client's address token is while nobody shows it (RFC 9000 §8.1.3). It spares the next
/// dial a round trip, and tells a server under attack that this is no stranger. Of one server only.
/// Whoever has a file for it derives from this; what fails there costs no more than that round
/// trip.
class AddressTokens {
public:
    /// As the server sent it; it means something to that server only.
    using Token = std::vector<std::uint8_t>;

    virtual ~AddressTokens() = default;

    /// Gives the token away, so that no other dial and no other run shows it as well: a client
    /// "SHOULD NOT reuse a NEW_TOKEN token". Empty: there is none.
    virtual Token take() = 0;

    /// The newest one, in place of any other.
    virtual void keep(const Token& token) = 0;
};

/// Keeps it as long as the program runs.
class AddressTokensInMemory final : public AddressTokens {
public:
    Token take() override { return std::exchange(token_, {}); }
    void keep(const Token& token) override { token_ = token; }

private:
    Token token_;
};

}  // namespace quicchat::quic
