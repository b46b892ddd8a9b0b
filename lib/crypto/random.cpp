#include "crypto/random.hpp"

#include <openssl/rand.h>

#include <cstdlib>

namespace asiortc::crypto {
namespace {

class openssl_random final : public base::random_source {
 public:
  void fill(base::mutable_byte_span out) override {
    // Ids, passwords and keys are made of this: without randomness there is no safe way on.
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) std::abort();
  }
};

}  // namespace

base::random_source& system_random() {
  static openssl_random source;
  return source;
}

}  // namespace asiortc::crypto
