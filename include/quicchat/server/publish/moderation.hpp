#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace quicchat {

/// Something that somebody wants to have stored, and may (PROTOCOL.md §6.17).
struct MessageQuestion {
    /// What is to be judged.
    enum class Kind : std::uint8_t {
        message,  ///< Also one that answers another, and one to one person.
        edit,     ///< The new text of a message.
        file,     ///< The text is the file's name.
    };
    std::string user;  ///< Whose it is.
    std::string room;  ///< As that user calls it: `#tea`, or `@bob` for the room of the two.
    Kind kind = Kind::message;  ///< See Kind.
    std::string text;           ///< The message, its new text, or the file's name.
    std::string attributes{};   ///< JSON object.
    std::string recipient{};    ///< The other one, if the room is one of two people.
};

/// One question that was asked of the program.
enum class CheckTicket : std::uint64_t {};

/// A question, as the program takes it.
struct CheckQuestion {
    CheckTicket ticket{};      ///< To be given back with the decision.
    MessageQuestion question;  ///< Whose what it is, and where.
};

/// It is stored as it is.
struct AcceptMessage {};

/// It is stored with another text and, if they are given, other attributes. They are checked as
/// those of a client are; what is not fit is refused.
struct ReplaceMessage {
    std::string text;  ///< In place of what was written, for a file its name.
    std::optional<std::string> attributes{};  ///< JSON object; nothing: those that were sent.
};

/// It is not stored. Its author is told the reason: what is no clean text is taken out of it, and
/// it is cut at `error_text_bytes_max`.
struct RefuseMessage {
    std::string reason{};  ///< For people; may be empty.
};

/// The program cannot say: what then becomes of it says `ServerConfig::unchecked`.
struct CheckUnavailable {};

/// What the program says.
using CheckDecision = std::variant<AcceptMessage, ReplaceMessage, RefuseMessage, CheckUnavailable>;

}  // namespace quicchat
