#pragma once

// The chat over QUIC, both sides of it. A program that is one of them compiles faster with its own.

#include "quicchat/quic/certificate_facts.hpp"
#include "quicchat/quic/qlog_folder.hpp"
#include "quicchat/quic_client.hpp"
#include "quicchat/quic_connect.hpp"
#include "quicchat/quic_serve.hpp"
#include "quicchat/quic_server.hpp"
