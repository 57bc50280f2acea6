#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quicchat/base/config.hpp"
#include "quicchat/base/result.hpp"
#include "quicchat/quic/handle.hpp"
#include "quicchat/quic/trust.hpp"
#include "quicchat/transport/event.hpp"

namespace quicchat::quic {

/// Prepares wolfSSL, once per process. Every entry into TLS goes through here.
QUICCHAT_DECL bool initialise_tls();

/// What the handshake established, taken before its state is thrown away.
struct TlsFacts {
    ChannelBinding channel_binding{};  ///< The exporter of RFC 9266, the same at both ends.
    /// Of the server, at a client. A server asks for no certificate.
    std::optional<Fingerprint> peer_key{};
    CertificateHash certificate_hash{};  ///< Of the server's, at both ends.
    std::string alpn{};                  ///< What the peers have agreed on.
    Der peer_certificate{};              ///< In DER, at a client. Empty at a server.
};

namespace detail {

/// The ALPN that the peers have agreed on so far; empty if there is none.
QUICCHAT_DECL std::string_view selected_alpn(WOLFSSL* ssl);

}  // namespace detail

/// The TLS settings that all connections of one endpoint share.
class TlsContext {
public:
    /// A server with its certificate chain, the server's own certificate first, and its key.
    static Result<TlsContext> server(const std::string& certificate_pem, const std::string& key_pem,
                                     std::vector<std::string> alpn);

    /// A client that expects a server of that name and believes what `trust` says.
    static Result<TlsContext> client(Trust trust, std::string server_name,
                                     std::vector<std::string> alpn);

#ifdef QUICCHAT_TLS_KEY_LOG
    /// Appends the secrets of its sessions to a file that only its owner may read.
    void log_keys(std::string path);
    const std::string& key_log_file() const { return key_log_file_; }
#endif

    /// Whether it is one of a server or of a client.
    bool is_server() const { return check_ == nullptr; }
    /// To make sessions of. It stays this object's.
    WOLFSSL_CTX* get() const { return context_.get(); }
    /// How a client judges its server; nullptr at a server.
    const TrustCheck* check() const { return check_.get(); }
    /// The protocols that it takes, the most wanted first.
    const std::vector<std::string>& alpn() const { return alpn_; }
    /// Of a server.
    const CertificateHash& certificate_hash() const { return certificate_hash_; }

private:
    using Context = Handle<WOLFSSL_CTX, wolfSSL_CTX_free>;

    TlsContext(Context context, std::unique_ptr<const TrustCheck> check,
               std::vector<std::string> alpn);

    static Context make(WOLFSSL_METHOD* method);

    static bool load_authorities(WOLFSSL_CTX* context, const Trust& trust);
    static bool load_system_authorities(WOLFSSL_CTX* context);
    static bool load_pem(WOLFSSL_CTX* context, const std::string& pem);

    Context context_;
    std::unique_ptr<const TrustCheck> check_;
    std::vector<std::string> alpn_;
    CertificateHash certificate_hash_{};
#ifdef QUICCHAT_TLS_KEY_LOG
    std::string key_log_file_{};
#endif
};

/// The TLS side of one connection until its handshake is complete. Does not move: wolfSSL and
/// ngtcp2 keep pointers to it.
class TlsSession {
public:
    /// Null if there is no memory for it. The session keeps the contexts, whatever others replace
    /// them by meanwhile. A server shows the certificate of `http3`, if there is one, to who asks
    /// for HTTP/3.
    static std::unique_ptr<TlsSession> create(std::shared_ptr<const TlsContext> context,
                                              std::shared_ptr<const TlsContext> http3 = nullptr);

    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// Ties the session to the connection that carries it.
    void attach(ngtcp2_conn* connection);

    /// Ends the handshake: the facts, or why the connection must not be used. Call once, after
    /// ngtcp2 reported completion and returned.
    Result<TlsFacts> finish();

    /// Why the server's certificate was refused, if it was.
    std::optional<Errc> refusal() const { return refusal_; }
    /// The key that the server showed, as far as the handshake came.
    std::optional<Fingerprint> shown_key() const { return shown_key_; }

private:
    friend class TlsContext;

    TlsSession(std::shared_ptr<const TlsContext> context, std::shared_ptr<const TlsContext> http3);

    bool configure();

    /// wolfSSL asks here before it chooses a certificate to show, when the protocol is chosen.
    static int choose_certificate(WOLFSSL* ssl, void*) noexcept;

    /// What was agreed on, or nothing if it is none of ours.
    std::optional<std::string> chosen_alpn() const;

#ifdef QUICCHAT_TLS_KEY_LOG
    static void log_key(const WOLFSSL* ssl, const char* line) noexcept;
#endif

    std::optional<Errc> judge_peer(TlsFacts& facts);

    /// wolfSSL asks here whenever it is not content with a certificate of the chain, and may ask
    /// more than once for the same. Whatever is refused once stays refused.
    static int verify(int content, WOLFSSL_X509_STORE_CTX* store) noexcept;

    std::optional<Errc> judge_complaint(const WOLFSSL_X509_STORE_CTX& store);

    std::shared_ptr<const TlsContext> context_;
    std::shared_ptr<const TlsContext> http3_;  ///< Whose certificate HTTP/3 has; null: the above.
    Handle<WOLFSSL, wolfSSL_free> ssl_;
    ngtcp2_crypto_conn_ref reference_{};
    ngtcp2_conn* connection_ = nullptr;
    std::optional<Errc> refusal_;
    std::optional<Fingerprint> shown_key_;
    Der leaf_;  ///< The server's certificate, if wolfSSL had a complaint about it.
};

}  // namespace quicchat::quic

#ifndef QUICCHAT_COMPILED
#include "quicchat/quic/impl/tls.ipp"
#endif
