#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "quicchat/base/error.hpp"
#include "quicchat/base/ids.hpp"
#include "quicchat/base/time.hpp"
#include "quicchat/transport/event.hpp"
#include "quicchat/transport/fingerprint.hpp"

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

/// Seconds.
inline py::float_ to_python(Duration duration) {
    return py::float_{std::chrono::duration<double>(duration).count()};
}

/// Milliseconds since 1970.
inline py::int_ to_python(WallTime time) { return py::int_{time.time_since_epoch().count()}; }

/// "sha256:...", or "" for none.
inline py::str to_python(const std::optional<Fingerprint>& key) {
    return to_python(key ? std::string_view{format_fingerprint(*key)} : std::string_view{});
}

}  // namespace quicchat::python
