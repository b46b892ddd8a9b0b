// Many pairs in one process on one thread: time, CPU, memory, idle CPU, threads.
#include "local_pair.hpp"
#include "measure.hpp"

#include <CLI/CLI.hpp>

#include <deque>
#include <filesystem>
#include <iterator>
#include <string>

namespace asiortc::bench {
namespace {

constexpr std::size_t in_flight = 32;
constexpr int settle_seconds = 2;  // DTLS gives its buffers back after a second of silence
constexpr int idle_seconds = 3;

struct counts {
  std::size_t next = 0;
  std::size_t open = 0;
  bool failed = false;
};

asio::awaitable<void> connect_some(std::deque<local_pair>& pairs, counts& progress) {
  while (progress.next < pairs.size()) {
    local_pair& pair = pairs[progress.next++];
    co_await pair.connect();
    ++progress.open;
  }
}

void connect_all(asio::io_context& context, std::deque<local_pair>& pairs) {
  counts progress;
  for (std::size_t worker = 0; worker < in_flight; ++worker) {
    asio::co_spawn(context, connect_some(pairs, progress), [&](std::exception_ptr thrown) {
      if (thrown) progress.failed = true;
    });
  }
  while (progress.open < pairs.size() && !progress.failed && context.run_one() != 0) {
  }
  if (progress.open < pairs.size()) throw std::runtime_error("a connection failed");
}

std::size_t thread_count() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                    std::filesystem::directory_iterator()));
}

/// What a process or a context has once, such as OpenSSL's tables and receive buffers, is not to be
/// counted as a peer's.
void warm_up(asio::io_context& context) {
  std::deque<local_pair> pairs;
  pairs.emplace_back(context.get_executor());
  connect_all(context, pairs);
  bool closed = false;
  asio::co_spawn(context, pairs.front().close(), [&](std::exception_ptr) { closed = true; });
  while (!closed && context.run_one() != 0) {
  }
  context.restart();  // it stops when nothing is left to do
}

void measure(std::size_t count) {
  asio::io_context context(1);
  warm_up(context);
  const double memory_before = resident_kilobytes();
  const double cpu_before = cpu_seconds();
  const auto start = clock::now();
  std::deque<local_pair> pairs;
  for (std::size_t index = 0; index < count; ++index) pairs.emplace_back(context.get_executor());
  connect_all(context, pairs);
  const double seconds = seconds_since(start);
  const double cpu = cpu_seconds() - cpu_before;
  context.run_for(std::chrono::seconds(settle_seconds));
  const double idle_before = cpu_seconds();
  context.run_for(std::chrono::seconds(idle_seconds));
  const double idle = (cpu_seconds() - idle_before) / idle_seconds * 100;
  const double memory = (resident_kilobytes() - memory_before) / static_cast<double>(2 * count);
  const nlohmann::json result{{"bench", "scale"},
                              {"stack", "asiortc"},
                              {"pairs", count},
                              {"seconds", seconds},
                              {"cpu_s", cpu},
                              {"kb_per_peer", memory},
                              {"idle_cpu_percent", idle},
                              {"threads", thread_count()}};
  std::ostringstream line;
  line.precision(3);
  line << "scale " << count << " pairs: all open in " << seconds << " s, CPU " << cpu << " s, "
       << memory << " kB a peer connection, idle " << idle << " % of a core, " << thread_count()
       << " thread";
  report(result, line.str());
}

}  // namespace
}  // namespace asiortc::bench

int main(int argc, char** argv) {
  using namespace asiortc::bench;
  std::vector<std::size_t> pairs{50, 200, 1000};
  CLI::App app("Many peer connections in one process");
  app.add_option("--pairs", pairs)->check(CLI::Range(1, 100000));
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  try {
    for (const std::size_t count : pairs) measure(count);
  } catch (const std::exception& wrong) {
    std::cerr << "scale: " << wrong.what() << '\n';
    return 1;
  }
}
