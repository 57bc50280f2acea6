#pragma once

// SCRAM-SHA-256-PLUS with `tls-exporter` (RFC 5802, 7677, 9266), without input or output.

#include "quicchat/auth/scram_client.hpp"   // IWYU pragma: export
#include "quicchat/auth/scram_keys.hpp"     // IWYU pragma: export
#include "quicchat/auth/scram_message.hpp"  // IWYU pragma: export
#include "quicchat/auth/scram_server.hpp"   // IWYU pragma: export
