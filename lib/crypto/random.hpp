// Random numbers from OpenSSL.
#pragma once

#include "base/random.hpp"

namespace asiortc::crypto {

/// The process's cryptographic generator. Thread-safe.
base::random_source& system_random();

}  // namespace asiortc::crypto
