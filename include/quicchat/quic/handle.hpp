#pragma once

#include <memory>

namespace quicchat::quic {
namespace detail {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const {
        release(object);
    }
};

}  // namespace detail

/// Owns an object of a C library and releases it with `release`:
/// `using Ssl = Handle<WOLFSSL, wolfSSL_free>;`
template <class T, auto release>
using Handle = std::unique_ptr<T, detail::Release<release>>;

}  // namespace quicchat::quic
