// Two thousand peers through one port of one process.
#include "net/mux_support.hpp"
#include "support/process_counts.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <fstream>
#include <iostream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace asiortc::test {
namespace {

// A sanitizer makes each connection many times as dear.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t peers = 200;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t peers = 200;
#else
constexpr std::size_t peers = 2000;
#endif
#else
constexpr std::size_t peers = 2000;
#endif
constexpr std::size_t in_flight = 64;
constexpr int messages_each_way = 5;

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double resident_kilobytes() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

struct crowd {
  crowd(asio::io_context& context, std::shared_ptr<udp_mux> shared, std::size_t others)
      : executor(context.get_executor()), mux(std::move(shared)), own_sockets(others) {
    // One certificate a side, as a server has; making two thousand is no part of this.
    const certificate_options validity(std::chrono::system_clock::now());
    ours.certificates.push_back(certificate::generate(validity));
    ours.udp_mux = mux;
    theirs = on_address("127.0.0.1");
    theirs.certificates.push_back(certificate::generate(validity));
  }

  /// Ends where the connection has failed, whose channels would wait for an ICE restart.
  static asio::awaitable<void> until_failed(peer_connection& peer) {
    auto states = peer.connection_states();
    for (auto change = co_await states.async_next(); change;
         change = co_await states.async_next()) {
      if (change->state == connection_state::failed) FAIL(change->detail);
    }
  }

  /// Makes and connects one after the other until all are there.
  asio::awaitable<void> work() {
    while (pairs.size() < peers) {
      const std::size_t number = pairs.size();
      configuration other = number < own_sockets ? theirs : ours;
      peer_pair& pair = pairs.emplace_back(executor, ours, other);
      asio::co_spawn(executor, echo(pair.second), [](std::exception_ptr) {});
      auto talk = exchange(pair.first, std::to_string(number), messages_each_way);
      auto failure = until_failed(pair.first);
      using namespace asio::experimental::awaitable_operators;
      co_await (std::move(talk) || std::move(failure));
    }
  }

  asio::any_io_executor executor;
  std::shared_ptr<udp_mux> mux;
  std::size_t own_sockets;
  configuration ours;
  configuration theirs;
  std::deque<peer_pair> pairs;
};

}  // namespace

TEST_CASE("two thousand peers on one port connect and exchange messages") {
  constexpr std::size_t reserve = 100;
  const std::size_t allowed = raise_descriptor_limit();
  const std::size_t own_sockets = std::min(peers, allowed > reserve ? allowed - reserve : 0);
  asio::io_context context(1);
  warm_up(context);
  const std::size_t descriptors = open_descriptors();
  {
    crowd all(context, make_mux(context.get_executor(), "127.0.0.1"), own_sockets);
    const auto start = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    const double memory = resident_kilobytes();
    std::size_t working = in_flight;
    for (std::size_t i = 0; i < in_flight; ++i) {
      asio::co_spawn(context, all.work(), [&](std::exception_ptr thrown) {
        CHECK_FALSE(thrown);
        --working;
      });
    }
    while (working > 0 && context.run_one() != 0) {
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const auto counters = all.mux->counters();
    std::cout << peers << " peers on one port, of whom " << own_sockets
              << " talk to sockets of their own: " << seconds.count() << " s, CPU "
              << cpu_seconds() - cpu << " s, "
              << (resident_kilobytes() - memory) / static_cast<double>(2 * peers)
              << " kB a peer connection\n";
    CHECK(all.pairs.size() == peers);
    CHECK(counters.peers == peers + (peers - own_sockets));
    CHECK(counters.remote_addresses == own_sockets);
    CHECK(counters.conflicts_dropped == 0);
    CHECK(counters.overflow_dropped == 0);
    CHECK(running_threads() == 1);
    // One more descriptor for all of ours.
    CHECK(open_descriptors() <= descriptors + own_sockets + 10);
    for (auto& pair : all.pairs) {
      pair.first.close();
      pair.second.close();
    }
    context.restart();
    context.run();
    CHECK(all.mux->counters().peers == 0);
    CHECK(all.mux->counters().remote_addresses == 0);
  }
  context.restart();
  context.run();
  CHECK(open_descriptors() == descriptors);
}

}  // namespace asiortc::test
