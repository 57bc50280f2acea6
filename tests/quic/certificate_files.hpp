#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "quicchat/quic/certificate.hpp"
#include "tests_dir.hpp"

namespace quicchat::test {

/// A file of tests/quic/certificates.
inline std::string certificate_file(const std::string& name) {
    std::ifstream file{std::string{QUICCHAT_TESTS_DIR} + "/quic/certificates/" + name};
    if (!file) throw std::runtime_error{"no such certificate: " + name};
    return {std::istreambuf_iterator<char>{file}, {}};
}

inline quic::CertificatePair certificate_pair(const std::string& name) {
    return {certificate_file(name + ".crt"), certificate_file(name + ".key")};
}

}  // namespace quicchat::test
