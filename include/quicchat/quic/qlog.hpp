#pragma once

#include <memory>
#include <string_view>

namespace quicchat::quic {

/// Takes what ngtcp2 writes about one connection: JSON text sequences (RFC 7464) in the schema of
/// qlog, without the bytes of streams. It ends with the connection.
class QlogWriter {
public:
    virtual ~QlogWriter() = default;

    /// The next piece, any number of bytes. Called from inside ngtcp2.
    virtual void write(std::string_view bytes) noexcept = 0;
};

/// Where the connections of an endpoint are written about. QlogFolder (qlog_folder.hpp) has files.
class QlogSink {
public:
    virtual ~QlogSink() = default;

    /// A connection begins. `id` has up to 40 hexadecimal digits: where the client's first packet
    /// went, the same at both ends. The client chose it. Null: nobody writes about this one.
    virtual std::unique_ptr<QlogWriter> begin(std::string_view id, bool is_server) noexcept = 0;
};

}  // namespace quicchat::quic
