// A random source that a seed fixes.
#pragma once

#include "base/random.hpp"

#include <random>

namespace asiortc::test {

class seeded_random final : public base::random_source {
 public:
  explicit seeded_random(std::uint64_t seed) : engine_(seed) {}

  void fill(base::mutable_byte_span out) override {
    for (auto& octet : out) octet = static_cast<std::uint8_t>(engine_());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace asiortc::test
