// A fingerprint in the form of the public interface.
#pragma once

#include "crypto/identity.hpp"

#include <asiortc/certificate.hpp>

namespace asiortc::crypto {

certificate_fingerprint published(const fingerprint& value);

}  // namespace asiortc::crypto
