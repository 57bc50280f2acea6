#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "quicchat/base/bytes.hpp"
#include "quicchat/wire/message.hpp"
#include "server_port.hpp"
#include "server_reload.hpp"

// Files that Python sends and fetches at a server that runs; answered as in server_program.hpp. See
// ProgramFiles for what follows what.

namespace quicchat::python {

void program_begin_file(const RunningServer& server, ProgramTicket ticket, std::string author,
                        wire::FileOffer offer);
void program_give_file(const RunningServer& server, ProgramTicket ticket, std::uint64_t transfer,
                       Buffer bytes);
void program_finish_file(const RunningServer& server, ProgramTicket ticket, std::uint64_t transfer);

/// Without an answer.
void program_abandon_file(const RunningServer& server, std::uint64_t transfer);

/// What a file is that a record announces.
void program_find_file(const RunningServer& server, ProgramTicket ticket, std::string room,
                       std::string reader, Offset offset);
/// A piece of it.
void program_read_file(const RunningServer& server, ProgramTicket ticket, std::string room,
                       std::string reader, Epoch epoch, Offset offset, std::uint64_t from,
                       std::size_t count);

}  // namespace quicchat::python
