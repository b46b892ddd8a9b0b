// From two new peer connections to a channel that is open on both sides, in one process.
#include "local_pair.hpp"
#include "measure.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace asiortc::bench {
namespace {

constexpr int runs = 50;

asio::awaitable<void> measure(std::vector<double>& milliseconds) {
  const auto executor = co_await asio::this_coro::executor;
  for (int run = 0; run < runs; ++run) {
    const auto start = clock::now();
    local_pair pair(executor);
    co_await pair.connect();
    milliseconds.push_back(seconds_since(start) * 1e3);
    co_await pair.close();
  }
}

}  // namespace
}  // namespace asiortc::bench

int main(int argc, char** argv) {
  using namespace asiortc::bench;
  CLI::App app("Time until a connection of two peers in one process is open");
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  asio::io_context context(1);
  std::vector<double> milliseconds;
  std::exception_ptr failure;
  asio::co_spawn(context, measure(milliseconds),
                 [&](std::exception_ptr thrown) { failure = thrown; });
  context.run();
  if (failure) {
    std::cerr << "setup: a connection failed\n";
    return 1;
  }
  const double median = percentile(milliseconds, 0.5);
  const double p90 = percentile(milliseconds, 0.9);
  const nlohmann::json result{{"bench", "setup"},
                              {"stack", "asiortc"},
                              {"runs", milliseconds.size()},
                              {"median_ms", median},
                              {"p90_ms", p90}};
  std::ostringstream line;
  line.precision(3);
  line << "set-up: median " << median << " ms, p90 " << p90 << " ms of " << milliseconds.size();
  report(result, line.str());
}
