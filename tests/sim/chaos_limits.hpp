#pragma once

#include <chrono>

#include "quicchat/base/limits.hpp"
#include "sim/chaos_model.hpp"

namespace quicchat::test {

/// Small ones: what they bound happens often.
inline Limits chaos_limits() {
    return {.room_log_records_max = RoomModel::records_max,
            .room_age_min = {},
            .room_recent_frames_max = 5,
            .turn_work_max = 2000,
            .catch_up_records_max = 2,
            .reactions_per_message_max = RoomModel::reactions_max,
            .file_bytes_max = 5000,
            .files_per_room_bytes_max = 6000,
            .files_per_account_bytes_max = 9000,
            .files_bytes_max = 12'000,
            .transfers_per_connection_max = 2,
            .downloads_per_account_max = 3,
            .uploads_per_account_max = 3,
            .upload_ahead_bytes = 1500,
            .file_chunk_bytes_max = 700,
            .file_backlog_bytes_max = 2000,
            .upload_expiry = std::chrono::seconds{40},
            .empty_upload_expiry = std::chrono::seconds{20},
            .stream_backlog_bytes_max = 2048,
            .replies_max = 4,
            .events_max = 10,
            .file_bytes_per_account = {16'384, 8192},
            .upload_bytes_per_account = {16'384, 8192},
            .idle_timeout = std::chrono::seconds{5},
            .stream_receive_window = 4096,
            .connection_receive_window = 16'384};
}

}  // namespace quicchat::test
