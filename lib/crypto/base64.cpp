#include "crypto/base64.hpp"

#include <openssl/evp.h>

namespace asiortc::crypto {

std::string base64(base::byte_span data) {
  // EVP_EncodeBlock ends what it writes with a zero.
  base::bytes text((data.size() + 2) / 3 * 4 + 1);
  const int length = EVP_EncodeBlock(text.data(), data.data(), static_cast<int>(data.size()));
  return {text.begin(), text.begin() + length};
}

}  // namespace asiortc::crypto
