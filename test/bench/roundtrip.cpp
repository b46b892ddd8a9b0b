// Round trips of 64-byte messages, one at a time.
#include "measure.hpp"
#include "two_processes.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace asiortc::bench {
namespace {

constexpr std::size_t message_bytes = 64;

asio::awaitable<std::string> ping(data_channel& channel, std::size_t rounds) {
  std::vector<double> microseconds;
  microseconds.reserve(rounds);
  const std::size_t warm_up = rounds / 10;
  for (std::size_t round = 0; round < rounds + warm_up; ++round) {
    const auto start = clock::now();
    std::vector<std::uint8_t> payload(message_bytes, 1);
    co_await channel.async_send(std::move(payload));
    auto received = co_await channel.async_receive();
    if (!received) throw std::runtime_error("the channel ended");
    if (round >= warm_up) microseconds.push_back(seconds_since(start) * 1e6);
  }
  const nlohmann::json result{{"bench", "roundtrip"},
                              {"stack", "asiortc"},
                              {"rounds", rounds},
                              {"p50_us", percentile(microseconds, 0.5)},
                              {"p99_us", percentile(microseconds, 0.99)}};
  co_await channel.async_close();
  co_return result.dump();
}

asio::awaitable<std::string> pong(data_channel& channel) {
  for (;;) {
    auto received = co_await channel.async_receive();
    if (!received) break;
    co_await channel.async_send(std::move(*received));
  }
  co_return std::string();
}

}  // namespace
}  // namespace asiortc::bench

int main(int argc, char** argv) {
  using namespace asiortc::bench;
  placement where;
  std::size_t rounds = 20000;
  CLI::App app("Round trip of 64-byte messages between two processes");
  app.add_option("--sender-netns", where.sender_netns);
  app.add_option("--receiver-netns", where.receiver_netns);
  app.add_option("--rounds", rounds)->check(CLI::Range(10, 10000000));
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  try {
    const auto reports = run_two_processes(
        where, [&](asiortc::data_channel& channel) { return ping(channel, rounds); }, pong);
    const auto result = nlohmann::json::parse(reports.sender);
    std::ostringstream line;
    line.precision(4);
    line << "round trip, 64 bytes: p50 " << result["p50_us"].get<double>() << " us, p99 "
         << result["p99_us"].get<double>() << " us";
    report(result, line.str());
  } catch (const std::exception& wrong) {
    std::cerr << "roundtrip: " << wrong.what() << '\n';
    return 1;
  }
}
