#pragma once

// All bodies of what sqlite.hpp adds to the core; see src.hpp.

// --- Bodies: all of them, by folder.

#include "quicchat/disk/impl/disk_files.ipp"
#include "quicchat/disk/impl/file_worker.ipp"
#include "quicchat/sqlite/impl/account_admin.ipp"
#include "quicchat/sqlite/impl/account_table.ipp"
#include "quicchat/sqlite/impl/client_store.ipp"
#include "quicchat/sqlite/impl/database.ipp"
#include "quicchat/sqlite/impl/error.ipp"
#include "quicchat/sqlite/impl/file_lock.ipp"
#include "quicchat/sqlite/impl/file_stamp.ipp"
#include "quicchat/sqlite/impl/id_blocks.ipp"
#include "quicchat/sqlite/impl/names.ipp"
#include "quicchat/sqlite/impl/operation.ipp"
#include "quicchat/sqlite/impl/page_sums.ipp"
#include "quicchat/sqlite/impl/record_table.ipp"
#include "quicchat/sqlite/impl/room_authors.ipp"
#include "quicchat/sqlite/impl/room_writer.ipp"
#include "quicchat/sqlite/impl/schema.ipp"
#include "quicchat/sqlite/impl/sqlite_accounts.ipp"
#include "quicchat/sqlite/impl/sqlite_log.ipp"
#include "quicchat/sqlite/impl/start_file.ipp"
#include "quicchat/sqlite/impl/store.ipp"
#include "quicchat/sqlite/impl/summing_vfs.ipp"
#include "quicchat/sqlite/impl/writer.ipp"
#include "quicchat/sqlite/impl/writer_thread.ipp"
