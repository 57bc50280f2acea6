#pragma once

#include <pybind11/pybind11.h>

#include "quicchat/base/time.hpp"
#include "quicchat/session/event.hpp"

// The objects of Python of which there are many. All others come as tuples, and Python makes them.
// Called with the GIL held.

namespace quicchat::python {

/// Says which classes of Python they are; once, before the first of them.
void use_record_types(const pybind11::type& message, const pybind11::type& receipt,
                      const pybind11::type& attributes, const pybind11::object& no_attributes,
                      const pybind11::type& file);

/// A `quicchat.Message`.
pybind11::object to_message(const RoomMessage& message);

/// A `quicchat.Receipt`.
pybind11::object to_receipt(const Acked& acked);

/// To be called once, before `to_datetime`.
void prepare_datetimes();

/// A datetime in UTC. A server may say anything: what no calendar has is the end of Python's.
pybind11::object to_datetime(WallTime time);

}  // namespace quicchat::python
