// Base64 (RFC 4648 4).
#pragma once

#include "base/bytes.hpp"

#include <string>

namespace asiortc::crypto {

/// With padding, in one line.
std::string base64(base::byte_span data);

}  // namespace asiortc::crypto
