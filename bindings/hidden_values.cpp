#include <string>
#include <utility>
#include <vector>

#include "bind.hpp"

// pybind11 shows all arguments of a call whose types do not fit, and among them may be passwords
// and private keys. So each function stands behind one that says their types only.

namespace quicchat::python {
namespace {

std::string type_of(const py::handle& value) {
    return py::str(py::type::handle_of(value).attr("__name__"));
}

std::string types_of(const py::args& args, const py::kwargs& kwargs) {
    std::string types;
    for (const py::handle& value : args) types += (types.empty() ? "" : ", ") + type_of(value);
    for (const auto& [name, value] : kwargs) {
        types += (types.empty() ? "" : ", ") + std::string{py::str(name)} + "=" + type_of(value);
    }
    return types;
}

/// Calls a function; its TypeError has no values.
py::object call(const py::object& function, const py::args& args, const py::kwargs& kwargs) {
    try {
        return function(*args, **kwargs);
    } catch (py::error_already_set& error) {
        if (!error.matches(PyExc_TypeError)) throw;
        std::string text = py::str(error.value());
        const std::size_t values = text.find("\nInvoked with:");
        if (values == std::string::npos) throw;
        text.resize(values);
        text += "\nGiven: (" + types_of(args, kwargs) +
                "); a str that is not valid Unicode does not fit either";
        PyErr_SetString(PyExc_TypeError, text.c_str());
        throw py::error_already_set{};
    }
}

template <class... Extra>
void replace(const py::object& owner, const std::string& name, const Extra&... extra) {
    py::object function = py::getattr(owner, name.c_str());
    const std::string doc = py::str(py::getattr(function, "__doc__", py::str{""}));
    py::options options;
    options.disable_function_signatures();  // the original's is in its documentation
    py::setattr(owner, name.c_str(),
                py::cpp_function(
                    [function](const py::args& args, const py::kwargs& kwargs) {
                        return call(function, args, kwargs);
                    },
                    py::name(name.c_str()), py::doc(doc.c_str()), extra...));
}

std::vector<std::string> functions_of(const py::object& owner) {
    std::vector<std::string> names;
    for (const auto& item : py::dict(owner.attr("__dict__"))) {
        const std::string name = py::str(item.first);
        const bool is_function = PyCFunction_Check(item.second.ptr()) != 0 ||
                                 PyInstanceMethod_Check(item.second.ptr()) != 0;
        if (is_function && !name.starts_with("_pybind11")) names.push_back(name);
    }
    return names;
}

}  // namespace

void hide_values(py::module_& m) {
    for (const auto& item : py::dict(m.attr("__dict__"))) {
        if (!py::isinstance<py::type>(item.second)) continue;
        const auto type = py::reinterpret_borrow<py::object>(item.second);
        for (const std::string& name : functions_of(type)) {
            replace(type, name, py::is_method(type));
        }
    }
    for (const std::string& name : functions_of(m)) replace(m, name, py::scope(m));
}

}  // namespace quicchat::python
