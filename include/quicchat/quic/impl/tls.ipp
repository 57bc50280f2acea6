#pragma once

#include "quicchat/quic/tls.hpp"

#ifdef QUICCHAT_TLS_KEY_LOG
#include <fcntl.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include "quicchat/base/config.hpp"
#include "quicchat/quic/error.hpp"
#include "quicchat/quic/packet_keys.hpp"
#include "quicchat/quic/pem.hpp"
#include "quicchat/quic/wolf_crypto.hpp"

namespace quicchat::quic::detail {

QUICCHAT_DECL std::string_view selected_alpn(WOLFSSL* ssl) {
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    wolfSSL_get0_alpn_selected(ssl, &chosen, &size);
    if (chosen == nullptr) return {};
    return {reinterpret_cast<const char*>(chosen), size};
}

}  // namespace quicchat::quic::detail

namespace quicchat::quic {

QUICCHAT_RARE_DECL bool initialise_tls() {
    static const bool ready = wolfSSL_Init() == WOLFSSL_SUCCESS;
    return ready;
}

QUICCHAT_RARE_DECL Result<TlsContext> TlsContext::server(const std::string& certificate_pem,
                                                         const std::string& key_pem,
                                                         std::vector<std::string> alpn) {
    Context context = make(wolfTLSv1_3_server_method());
    if (context == nullptr) return Errc::internal_error;
    ngtcp2_crypto_wolfssl_configure_server_context(context.get());
    use_packet_keys(context.get());
    // No session tickets: a resumed handshake would skip the certificate, and with it the trust
    // check of the client.
    wolfSSL_CTX_no_ticket_TLSv13(context.get());
    wolfSSL_CTX_set_cert_cb(context.get(), TlsSession::choose_certificate, nullptr);
    if (wolfSSL_CTX_use_certificate_chain_buffer(context.get(), detail::bytes_of(certificate_pem),
                                                 static_cast<long>(certificate_pem.size())) !=
        WOLFSSL_SUCCESS) {
        return make_error_code(CertificateError::not_a_certificate);
    }
    const std::string key{detail::key_block(key_pem)};
    if (key.empty() || wolfSSL_CTX_use_PrivateKey_buffer(context.get(), detail::bytes_of(key),
                                                         static_cast<long>(key.size()),
                                                         WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) {
        return make_error_code(CertificateError::not_a_key);
    }
    if (wolfSSL_CTX_check_private_key(context.get()) != WOLFSSL_SUCCESS) {
        return make_error_code(CertificateError::mismatch);
    }
    const std::vector<Der> chain = certificates_from_pem(certificate_pem);
    if (chain.empty()) return make_error_code(CertificateError::not_a_certificate);
    TlsContext made{std::move(context), nullptr, std::move(alpn)};
    made.certificate_hash_ = WolfCrypto::sha256(std::as_bytes(std::span{chain.front()}));
    return made;
}

QUICCHAT_RARE_DECL Result<TlsContext> TlsContext::client(Trust trust, std::string server_name,
                                                         std::vector<std::string> alpn) {
    Context context = make(wolfTLSv1_3_client_method());
    if (context == nullptr) return Errc::internal_error;
    ngtcp2_crypto_wolfssl_configure_client_context(context.get());
    use_packet_keys(context.get());
    auto check = std::make_unique<const TrustCheck>(std::move(trust), std::move(server_name));
    if (!load_authorities(context.get(), check->trust())) {
        return make_error_code(CertificateError::not_authorities);
    }
    return TlsContext{std::move(context), std::move(check), std::move(alpn)};
}

#ifdef QUICCHAT_TLS_KEY_LOG
QUICCHAT_RARE_DECL void TlsContext::log_keys(std::string path) {
    key_log_file_ = std::move(path);
    wolfSSL_CTX_set_keylog_callback(context_.get(), TlsSession::log_key);
}

/// Opened for each line: other programs may write to the file as well.
QUICCHAT_RARE_DECL void TlsSession::log_key(const WOLFSSL* ssl, const char* line) noexcept {
    const auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(wolfSSL_get_app_data(ssl));
    if (reference == nullptr) return;
    const auto& self = *static_cast<const TlsSession*>(reference->user_data);
    const int file = ::open(self.context_->key_log_file().c_str(),
                            O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;
    const std::string text = std::string{line} + '\n';
    [[maybe_unused]] const ssize_t written = ::write(file, text.data(), text.size());
    ::close(file);
}
#endif

QUICCHAT_RARE_DECL TlsContext::TlsContext(Context context, std::unique_ptr<const TrustCheck> check,
                                          std::vector<std::string> alpn)
    : context_(std::move(context)), check_(std::move(check)), alpn_(std::move(alpn)) {}

QUICCHAT_RARE_DECL TlsContext::Context TlsContext::make(WOLFSSL_METHOD* method) {
    if (!initialise_tls()) return nullptr;
    Context context{wolfSSL_CTX_new(method)};
    if (context == nullptr) return nullptr;
    // RFC 9001 §5.3: "QUIC can use any of the cipher suites defined in TLS 1.3 with the
    // exception of TLS_AES_128_CCM_8_SHA256".
    const bool set =
        wolfSSL_CTX_set_cipher_list(context.get(),
                                    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                    "TLS_CHACHA20_POLY1305_SHA256") == WOLFSSL_SUCCESS &&
        wolfSSL_CTX_set1_groups_list(context.get(), "X25519:P-256") == WOLFSSL_SUCCESS &&
        wolfSSL_CTX_SetMinRsaKey_Sz(context.get(), detail::rsa_bits_min) == WOLFSSL_SUCCESS;
    return set ? std::move(context) : nullptr;
}

QUICCHAT_RARE_DECL bool TlsContext::load_authorities(WOLFSSL_CTX* context, const Trust& trust) {
    if (trust.mode == Trust::Mode::system_authorities) return load_system_authorities(context);
    if (trust.mode != Trust::Mode::authorities) return true;
    return load_pem(context, trust.authorities_pem);
}

QUICCHAT_RARE_DECL bool TlsContext::load_system_authorities(WOLFSSL_CTX* context) {
    const char* file = ::secure_getenv("SSL_CERT_FILE");
    const char* folder = ::secure_getenv("SSL_CERT_DIR");
    const bool has_file = file != nullptr && *file != '\0';
    const bool has_folder = folder != nullptr && *folder != '\0';
    if (!has_file && !has_folder) {
        return wolfSSL_CTX_load_system_CA_certs(context) == WOLFSSL_SUCCESS;
    }
    bool loaded = false;
    if (has_file) {
        std::ifstream text{file};
        loaded = load_pem(context, {std::istreambuf_iterator<char>{text}, {}});
    }
    constexpr word32 flags = WOLFSSL_LOAD_FLAG_IGNORE_ERR | WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY;
    if (has_folder) {
        loaded |= wolfSSL_CTX_load_verify_locations_ex(context, nullptr, folder, flags) ==
                  WOLFSSL_SUCCESS;
    }
    return loaded;
}

QUICCHAT_RARE_DECL bool TlsContext::load_pem(WOLFSSL_CTX* context, const std::string& pem) {
    const std::vector<Der> certificates = certificates_from_pem(pem);
    for (const Der& certificate : certificates) {
        // One without a subject is no authority (RFC 5280 §4.1.2.6), and wolfSSL would say nothing
        // about a server that shows it, not even which it was.
        const Handle<WOLFSSL_X509, wolfSSL_X509_free> parsed{
            wolfSSL_X509_d2i(nullptr, certificate.data(), static_cast<int>(certificate.size()))};
        if (parsed != nullptr &&
            wolfSSL_X509_NAME_entry_count(wolfSSL_X509_get_subject_name(parsed.get())) == 0) {
            continue;
        }
        // One that TLS cannot use as an authority may still be the server's own certificate.
        wolfSSL_CTX_load_verify_buffer_ex(
            context, certificate.data(), static_cast<long>(certificate.size()),
            WOLFSSL_FILETYPE_ASN1, 0, WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY);
    }
    return !certificates.empty();
}

QUICCHAT_DECL std::unique_ptr<TlsSession> TlsSession::create(
    std::shared_ptr<const TlsContext> context, std::shared_ptr<const TlsContext> http3) {
    std::unique_ptr<TlsSession> session{new TlsSession{std::move(context), std::move(http3)}};
    return session->ssl_ != nullptr && session->configure() ? std::move(session) : nullptr;
}

QUICCHAT_DECL void TlsSession::attach(ngtcp2_conn* connection) {
    connection_ = connection;
    ngtcp2_conn_set_tls_native_handle(connection, ssl_.get());
}

QUICCHAT_DECL Result<TlsFacts> TlsSession::finish() {
    const std::optional<std::string> alpn = chosen_alpn();
    if (!alpn) return Errc::version_mismatch;
    TlsFacts facts;
    facts.alpn = *alpn;
    const bool is_http3 = http3_ != nullptr && facts.alpn == http3_alpn;
    facts.certificate_hash = (is_http3 ? http3_ : context_)->certificate_hash();
    if (context_->check() != nullptr) {
        if (refusal_) return *refusal_;
        const std::optional<Errc> verdict = judge_peer(facts);
        if (verdict) return *verdict;
    }
    // RFC 9266 §2: the label, a zero-length context, 32 bytes.
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    if (wolfSSL_export_keying_material(
            ssl_.get(), reinterpret_cast<unsigned char*>(facts.channel_binding.data()),
            facts.channel_binding.size(), label.data(), label.size(), nullptr, 0,
            0) != WOLFSSL_SUCCESS) {
        return Errc::internal_error;
    }
    return facts;
}

QUICCHAT_DECL TlsSession::TlsSession(std::shared_ptr<const TlsContext> context,
                                     std::shared_ptr<const TlsContext> http3)
    : context_(std::move(context)), http3_(std::move(http3)), ssl_(wolfSSL_new(context_->get())) {
    reference_.get_conn = [](ngtcp2_crypto_conn_ref* reference) {
        return static_cast<TlsSession*>(reference->user_data)->connection_;
    };
    reference_.user_data = this;
}

QUICCHAT_DECL bool TlsSession::configure() {
    WOLFSSL* ssl = ssl_.get();
    wolfSSL_set_app_data(ssl, &reference_);
    wolfSSL_KeepArrays(ssl);  // or the exporter has nothing to derive from
    std::string alpn;         // wolfSSL takes names with commas between them
    for (const std::string& name : context_->alpn()) {
        if (!alpn.empty()) alpn += ',';
        alpn += name;
    }
    // The ALPN callback of wolfSSL is never called in this build; this makes it refuse other
    // protocols by itself. A peer that names none is caught by `finish`.
    if (!alpn.empty() && wolfSSL_UseALPN(ssl, alpn.data(), static_cast<unsigned>(alpn.size()),
                                         WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS) {
        return false;
    }
    if (context_->is_server()) {
        wolfSSL_set_accept_state(ssl);
        return true;
    }
    wolfSSL_set_connect_state(ssl);
    wolfSSL_set_verify(ssl, WOLFSSL_VERIFY_PEER, verify);
    wolfSSL_SetCertCbCtx(ssl, this);
    const std::string& name = context_->check()->server_name();
    // RFC 6066 §3: "Literal IPv4 and IPv6 addresses are not permitted in 'HostName'."
    if (name.empty() || SocketAddress::from_numeric(name, 0)) return true;
    return wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, name.data(),
                          static_cast<unsigned short>(name.size())) == WOLFSSL_SUCCESS;
}

QUICCHAT_DECL int TlsSession::choose_certificate(WOLFSSL* ssl, void*) noexcept {
    const auto* reference = static_cast<ngtcp2_crypto_conn_ref*>(wolfSSL_get_app_data(ssl));
    if (reference == nullptr) return 0;
    const auto& self = *static_cast<const TlsSession*>(reference->user_data);
    if (self.http3_ == nullptr || detail::selected_alpn(ssl) != http3_alpn) return 1;
    return wolfSSL_set_SSL_CTX(ssl, self.http3_->get()) != nullptr ? 1 : 0;
}

QUICCHAT_RARE_DECL std::optional<std::string> TlsSession::chosen_alpn() const {
    const std::vector<std::string>& ours = context_->alpn();
    const auto found = std::find(ours.begin(), ours.end(), detail::selected_alpn(ssl_.get()));
    if (found == ours.end() || found->empty()) return std::nullopt;
    return *found;
}

QUICCHAT_RARE_DECL std::optional<Errc> TlsSession::judge_peer(TlsFacts& facts) {
    const Handle<WOLFSSL_X509, wolfSSL_X509_free> peer{wolfSSL_get_peer_certificate(ssl_.get())};
    int size = 0;
    const unsigned char* der = peer != nullptr ? wolfSSL_X509_get_der(peer.get(), &size) : nullptr;
    std::span<const std::uint8_t> leaf = leaf_;
    if (der != nullptr && size > 0) leaf = {der, static_cast<std::size_t>(size)};
    // wolfSSL has none to show where the issuer is empty: of a self-signed one without a subject.
    if (leaf.empty()) return Errc::certificate_untrusted;
    facts.peer_key = shown_key_ = fingerprint_of(leaf);
    facts.certificate_hash = WolfCrypto::sha256(std::as_bytes(leaf));
    facts.peer_certificate.assign(leaf.begin(), leaf.end());
    return context_->check()->judge(leaf);
}

QUICCHAT_RARE_DECL int TlsSession::verify(int content, WOLFSSL_X509_STORE_CTX* store) noexcept {
    auto* self = static_cast<TlsSession*>(store->userCtx);
    if (self == nullptr) return 0;
    if (self->refusal_) return 0;
    if (content == 1) return 1;
    const std::optional<Errc> refusal = self->judge_complaint(*store);
    if (refusal) self->refusal_ = refusal;
    return refusal ? 0 : 1;
}

QUICCHAT_RARE_DECL std::optional<Errc> TlsSession::judge_complaint(
    const WOLFSSL_X509_STORE_CTX& store) {
    const TrustCheck& check = *context_->check();
    const bool is_leaf = store.error_depth == 0 && store.totalCerts > 0;
    if (is_leaf) {
        const std::span leaf{store.certs[0].buffer, std::size_t{store.certs[0].length}};
        shown_key_ = fingerprint_of(leaf);
        leaf_.assign(leaf.begin(), leaf.end());
        // Nobody has to vouch for a key that we know, or for the certificate we were given.
        if (!check.trust().needs_authority() || check.is_given_certificate(leaf)) {
            return check.judge(leaf);
        }
    } else if (!check.trust().needs_authority()) {
        return std::nullopt;  // what the leaf is worth does not depend on the rest of the chain
    }
    const bool date = store.error == ASN_AFTER_DATE_E || store.error == ASN_BEFORE_DATE_E;
    return date ? Errc::certificate_expired : Errc::certificate_untrusted;
}

}  // namespace quicchat::quic
