#pragma once

#include <string>
#include <utility>
#include <vector>

#include "failure.hpp"
#include "quicchat/quic/trust.hpp"
#include "quicchat/transport/fingerprint.hpp"

namespace quicchat::python {

/// Of what Python calls it: system, authorities, keys or anyone.
inline quic::Trust make_trust(const std::string& mode, std::string pem,
                              const std::vector<std::string>& keys) {
    if (mode == "system") return quic::Trust::system();
    if (mode == "authorities") return quic::Trust::authorities(std::move(pem));
    if (mode == "anyone") return quic::Trust::insecure();
    if (mode != "keys") throw CoreFailure{Errc::invalid_request};
    std::vector<Fingerprint> pins;
    for (const std::string& key : keys) {
        pins.push_back(value_or_throw(quicchat::parse_fingerprint(key)));
    }
    return quic::Trust::pinned(std::move(pins));
}

}  // namespace quicchat::python
