#pragma once

#include <pybind11/pybind11.h>

#include <string_view>
#include <vector>

#include "client_port.hpp"

namespace quicchat::python {

/// What a client has to say: a message of a room as such, a receipt as (ticket, receipt), all else
/// as (kind, ticket, fields), with the fields in the order of the dataclasses in events.py and
/// records.py. Called with the GIL held.
pybind11::object mail_object(const ClientMail& mail);

/// "memory", "process" or "fsync".
std::string_view durability_name(Durability durability);

/// (kind, fields) for each record.
pybind11::list record_list(const std::vector<RoomRecord>& records);

}  // namespace quicchat::python
