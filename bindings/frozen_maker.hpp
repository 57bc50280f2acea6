#pragma once

#include <pybind11/pybind11.h>
#include <structmember.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace quicchat::python {

/// Makes objects of a frozen dataclass with slots. Its `__init__` would set one field after the
/// other by a call of `object.__setattr__`, which takes most of the time that an event takes; here
/// the slots are filled in. Called with the GIL held.
template <std::size_t N>
class FrozenMaker {
public:
    /// `fields` are all fields that objects of that class have. Throws TypeError for a class that
    /// is made otherwise.
    FrozenMaker(pybind11::type type, const std::array<const char*, N>& fields)
        : type_(std::move(type)) {
        if (as_type()->tp_dictoffset != 0) throw pybind11::type_error("a class without slots");
        for (std::size_t i = 0; i < N; ++i) offsets_[i] = offset_of(fields[i]);
    }

    /// An object of the class. Values are in the order of the fields.
    template <class... Values>
    pybind11::object make(Values... values) const {
        static_assert(sizeof...(Values) == N);
        PyObject* const made = as_type()->tp_alloc(as_type(), 0);
        if (made == nullptr) throw pybind11::error_already_set{};
        std::size_t i = 0;
        ((slot(made, offsets_[i++]) = values.release().ptr()), ...);
        return pybind11::reinterpret_steal<pybind11::object>(made);
    }

private:
    PyTypeObject* as_type() const { return reinterpret_cast<PyTypeObject*>(type_.ptr()); }

    static PyObject*& slot(PyObject* object, Py_ssize_t offset) {
        return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
    }

    Py_ssize_t offset_of(const char* field) const {
        const pybind11::object found = type_.attr(field);
        if (!Py_IS_TYPE(found.ptr(), &PyMemberDescr_Type)) {
            throw pybind11::type_error(std::string{field} + " is no slot");
        }
        return reinterpret_cast<PyMemberDescrObject*>(found.ptr())->d_member->offset;
    }

    pybind11::type type_;
    std::array<Py_ssize_t, N> offsets_{};
};

}  // namespace quicchat::python
