// Running a context until something is true.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>

namespace asiortc::test {

/// False when it did not become true while the context had work, or within ten seconds.
inline bool run_until(boost::asio::io_context& context, const std::function<bool()>& reached) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  context.restart();
  while (!reached()) {
    if (context.run_one_until(give_up) == 0) return reached();
  }
  return true;
}

}  // namespace asiortc::test
