#pragma once

// Rooms, accounts and devices that outlive the server, in one SQLite file.

#include "quicchat/disk/disk_files.hpp"
#include "quicchat/sqlite/account_admin.hpp"
#include "quicchat/sqlite/client_store.hpp"
#include "quicchat/sqlite/sqlite_accounts.hpp"
#include "quicchat/sqlite/sqlite_log.hpp"
#include "quicchat/sqlite/store.hpp"
