// Transport addresses inside attributes (RFC 8489 14.1, 14.2).
#pragma once

#include "base/bytes.hpp"
#include "base/endpoint.hpp"
#include "stun/types.hpp"

#include <optional>

namespace asiortc::stun {

/// The value of MAPPED-ADDRESS.
std::optional<base::endpoint> read_address(base::byte_span value);
void write_address(base::byte_writer& out, const base::endpoint& address);

/// The value of XOR-MAPPED-ADDRESS, and later of TURN's XOR-PEER-ADDRESS and XOR-RELAYED-ADDRESS.
std::optional<base::endpoint> read_xor_address(base::byte_span value, const transaction_id& id);
void write_xor_address(base::byte_writer& out, const base::endpoint& address,
                       const transaction_id& id);

}  // namespace asiortc::stun
