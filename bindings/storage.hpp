#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "any_book.hpp"
#include "any_files.hpp"
#include "any_log.hpp"
#include "endpoints.hpp"

namespace quicchat::python {

/// Where a server keeps rooms and accounts.
struct Storage {
    std::shared_ptr<sqlite::Store> store{};  ///< Nullptr: in memory.
    AnyLog log;
    std::shared_ptr<AnyBook> book;
    AnyFiles files{};
    Buffer secret;                        ///< Hides which users exist.
    std::vector<std::string> replaced{};  ///< Whose password in the database was another one.
};

/// Opens what the options name, with the accounts of the options in it. Slow: it hashes passwords.
Storage open_storage(const ServeOptions& options);

}  // namespace quicchat::python
