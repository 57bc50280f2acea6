#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "quicchat/log/room_log.hpp"
#include "quicchat/wire/message.hpp"
#include "server_port.hpp"
#include "server_reload.hpp"

// What Python says and asks at a server that runs. Each returns at once; a ServerAnswer with the
// ticket follows in the mailbox. CoreFailure `queue_full`: too much waits already, and none does.
// `reader`: the account that asks; empty: the program, which may read all but what two people
// share.

namespace quicchat::python {

void program_say(const RunningServer& server, ProgramTicket ticket, std::string room,
                 Record record);
void program_create(const RunningServer& server, ProgramTicket ticket, wire::CreateRoom m,
                    std::string owner);

/// At most `count` records above an offset, or above the reader's marker.
void program_page(const RunningServer& server, ProgramTicket ticket, std::string room,
                  std::string reader, std::optional<Offset> after, std::size_t count);
void program_search(const RunningServer& server, ProgramTicket ticket, std::string room,
                    std::string reader, std::string words, Offset before, std::size_t count);
void program_people(const RunningServer& server, ProgramTicket ticket, std::string room,
                    std::string reader, std::string after);
void program_reports(const RunningServer& server, ProgramTicket ticket);
void program_rooms_of(const RunningServer& server, ProgramTicket ticket, std::string user,
                      std::string after);

/// What an account wants to be called.
void program_name(const RunningServer& server, ProgramTicket ticket, std::string user,
                  std::string display);

/// An account has read a room up to a record, of this life of it or of that with an epoch.
void program_mark_read(const RunningServer& server, ProgramTicket ticket, std::string room,
                       std::string user, std::optional<Epoch> epoch, Offset offset, bool shared);

/// Somebody, who may be away; and a page of who is here.
void program_person(const RunningServer& server, ProgramTicket ticket, std::string user);
void program_online(const RunningServer& server, ProgramTicket ticket, std::string after);

/// The answer is how many connections there were.
void program_disconnect(const RunningServer& server, ProgramTicket ticket, std::string user);

/// News of what the speaker is told follow, or no more of them. Without an answer.
void program_listen(const RunningServer& server, bool on);

/// News of who comes on line and goes follow, or no more of them. Without an answer.
void program_watch_people(const RunningServer& server, bool on);

/// News of a room follow, or no more of them. Without an answer.
void program_watch(const RunningServer& server, std::string room, bool on);

}  // namespace quicchat::python
