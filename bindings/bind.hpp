#pragma once

#include <pybind11/pybind11.h>

namespace quicchat::python {

namespace py = pybind11;

// One for each bind_*.cpp, called by module.cpp.
void bind_errors(py::module_& m);
void bind_tools(py::module_& m);
void bind_client(py::module_& m);
void bind_memory(py::module_& m);
void bind_probe(py::module_& m);
void bind_server(py::module_& m);
void bind_accounts(py::module_& m);

/// After all others: no exception of the module shows what a function was given.
void hide_values(py::module_& m);

}  // namespace quicchat::python
