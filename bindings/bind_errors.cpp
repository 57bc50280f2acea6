#include <string>
#include <string_view>
#include <system_error>

#include "bind.hpp"
#include "convert.hpp"
#include "failure.hpp"
#include "quicchat/base/error.hpp"
#include "quicchat/quic/pem.hpp"

namespace quicchat::python {
namespace {

/// The stable name of an error, for programs.
std::string name_of(const std::error_code& error) {
    if (error.category() == error_category()) return std::string{error_name(to_errc(error))};
    if (error.category() == quic::certificate_category()) {
        return std::string{quic::explain(static_cast<quic::CertificateError>(error.value())).code};
    }
    return error.category().name();
}

py::tuple error_table_rows() {
    py::list rows;
    for (const ErrorInfo& info : error_table) {
        rows.append(py::make_tuple(static_cast<int>(info.errc), std::string{info.name},
                                   static_cast<int>(info.error_class), std::string{info.text}));
    }
    return py::tuple{rows};
}

}  // namespace

void bind_errors(py::module_& m) {
    // Leaked on purpose: it must outlive everything that may still throw.
    auto* core_error =
        new py::object{py::exception<CoreFailure>(m, "CoreError", PyExc_RuntimeError)};
    static PyObject* const core_error_type = core_error->ptr();
    auto* qlog_error =
        new py::object{py::exception<QlogFailure>(m, "QlogError", PyExc_RuntimeError)};
    static PyObject* const qlog_error_type = qlog_error->ptr();
    auto* storage_failure =
        new py::object{py::exception<StorageFailure>(m, "StorageFailure", PyExc_RuntimeError)};
    static PyObject* const storage_failure_type = storage_failure->ptr();

    py::register_local_exception_translator([](std::exception_ptr pointer) {
        try {
            if (pointer) std::rethrow_exception(pointer);
        } catch (const QlogFailure& failure) {
            const py::tuple arguments =
                py::make_tuple(failure.error().value(), failure.error().message());
            PyErr_SetObject(qlog_error_type, arguments.ptr());
        } catch (const CoreFailure& failure) {
            const std::error_code error = failure.error();
            const py::tuple arguments =
                py::make_tuple(std::string{error.category().name()}, error.value(), name_of(error),
                               error.message());
            PyErr_SetObject(core_error_type, arguments.ptr());
        } catch (const StorageFailure& failure) {
            const StorageError& error = failure.error();
            const py::tuple arguments =
                py::make_tuple(to_python(error.errc), to_python(std::string_view{error.text}));
            PyErr_SetObject(storage_failure_type, arguments.ptr());
        } catch (const std::system_error& failure) {
            // With its number, so that it can be told from a mistake of ours: no descriptors left.
            const std::error_code error = failure.code();
            const py::tuple arguments = py::make_tuple(error.value(), error.message());
            PyErr_SetObject(PyExc_OSError, arguments.ptr());
        } catch (const ForkFailure&) {
            const py::object type = py::module_::import("quicchat.errors").attr("ForkError");
            PyErr_SetString(type.ptr(),
                            "this object was made in another process, before os.fork()");
        }
    });

    m.def("error_table", &error_table_rows,
          "All errors of the protocol: (number, name, class, text) each.");
}

}  // namespace quicchat::python
