#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "quicchat/auth/verifier.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"
#include "quicchat/transport/fingerprint.hpp"
#include "quicchat/wire/act.hpp"

// Values of C++ as objects of Python. Called with the GIL held.

namespace quicchat::python {

namespace py = pybind11;

/// Text that may come from the network: what is not UTF-8 becomes U+FFFD.
inline py::str to_python(std::string_view text) {
    PyObject* const decoded =
        PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
    if (decoded == nullptr) throw py::error_already_set{};
    return py::reinterpret_steal<py::str>(decoded);
}

/// The stable name of an error.
inline py::str to_python(Errc errc) { return to_python(error_name(errc)); }

inline py::bytes to_python(const MessageId& id) {
    return py::bytes{reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

inline py::int_ to_python(Epoch epoch) { return py::int_{static_cast<std::uint64_t>(epoch)}; }

/// Seconds.
inline py::float_ to_python(Duration duration) {
    return py::float_{std::chrono::duration<double>(duration).count()};
}

/// Milliseconds since 1970.
inline py::int_ to_python(WallTime time) { return py::int_{time.time_since_epoch().count()}; }

/// 32 hexadecimal digits, or "" for a device without an id.
inline py::str to_hex(const DeviceId& id) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    if (id == DeviceId{}) return to_python(std::string_view{});
    for (const std::byte octet : id.bytes) {
        text += digits[std::to_integer<std::size_t>(octet >> 4)];
        text += digits[std::to_integer<std::size_t>(octet & std::byte{15})];
    }
    return to_python(std::string_view{text});
}

/// The other way. ValueError for what is no 16 bytes.
template <class Sixteen>
Sixteen to_sixteen(const py::bytes& bytes, const char* what) {
    const std::string_view view{bytes};
    Sixteen result{};
    if (view.size() != result.size()) {
        throw py::value_error(std::string{what} + " has 16 bytes");
    }
    std::memcpy(result.data(), view.data(), result.size());
    return result;
}

inline ScramSalt to_salt(const py::bytes& bytes) { return to_sixteen<ScramSalt>(bytes, "a salt"); }

inline Buffer to_buffer(const py::bytes& bytes) {
    const BytesView view = as_bytes(std::string_view{bytes});
    return {view.begin(), view.end()};
}

/// Kind, target, subject, value, until in milliseconds since 1970.
using ActFields = std::tuple<std::uint8_t, Offset, std::string, std::uint64_t, std::int64_t>;

inline Act make_act(const ActFields& fields) {
    const auto& [kind, target, subject, value, until] = fields;
    return {Act::Kind{kind}, target, subject, value, WallTime{std::chrono::milliseconds{until}}};
}

/// "sha256:...", or "" for none.
inline py::str to_python(const std::optional<Fingerprint>& key) {
    return to_python(key ? std::string_view{format_fingerprint(*key)} : std::string_view{});
}

}  // namespace quicchat::python
