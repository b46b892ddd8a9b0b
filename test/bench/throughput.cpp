// MB/s over one reliable ordered channel, and CPU seconds per GB on each side.
#include "measure.hpp"
#include "two_processes.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace asiortc::bench {
namespace {

asio::awaitable<std::string> send_for(data_channel& channel, std::size_t size, double seconds) {
  const double cpu_before = cpu_seconds();
  const auto start = clock::now();
  std::uint64_t bytes = 0;
  while (seconds_since(start) < seconds) {
    std::vector<std::uint8_t> payload(size, 0x5a);
    co_await channel.async_send(std::move(payload));
    bytes += size;
  }
  co_await channel.async_flush();
  const nlohmann::json result{{"bytes", bytes}, {"cpu", cpu_seconds() - cpu_before}};
  co_await channel.async_send("end");
  auto bye = co_await channel.async_receive();
  static_cast<void>(bye);
  co_return result.dump();
}

asio::awaitable<std::string> receive_all(data_channel& channel) {
  const double cpu_before = cpu_seconds();
  clock::time_point first{};
  clock::time_point last{};
  std::uint64_t bytes = 0;
  for (;;) {
    auto received = co_await channel.async_receive();
    if (!received || received->is_text()) break;
    last = clock::now();
    if (bytes == 0) first = last;
    bytes += received->size();
  }
  const double seconds = std::chrono::duration<double>(last - first).count();
  const nlohmann::json result{
      {"bytes", bytes}, {"cpu", cpu_seconds() - cpu_before}, {"seconds", seconds}};
  co_await channel.async_send("bye");
  co_await channel.async_flush();
  co_return result.dump();
}

void run_size(const placement& where, std::size_t size, double seconds) {
  const auto reports = run_two_processes(
      where, [&](data_channel& channel) { return send_for(channel, size, seconds); }, receive_all);
  const auto sender = nlohmann::json::parse(reports.sender);
  const auto receiver = nlohmann::json::parse(reports.receiver);
  const double gigabytes = receiver["bytes"].get<double>() / 1e9;
  const double rate = receiver["bytes"].get<double>() / 1e6 / receiver["seconds"].get<double>();
  const double sender_cpu = sender["cpu"].get<double>() / gigabytes;
  const double receiver_cpu = receiver["cpu"].get<double>() / gigabytes;
  if (sender["bytes"] != receiver["bytes"]) throw std::runtime_error("bytes were lost");
  const nlohmann::json result{{"bench", "throughput"},
                              {"stack", "asiortc"},
                              {"message_bytes", size},
                              {"mb_per_s", rate},
                              {"sender_cpu_s_per_gb", sender_cpu},
                              {"receiver_cpu_s_per_gb", receiver_cpu},
                              {"bytes", receiver["bytes"]}};
  std::ostringstream line;
  line.precision(3);
  line << "throughput " << size / 1024 << " KiB: " << rate << " MB/s, CPU s per GB " << sender_cpu
       << " sender, " << receiver_cpu << " receiver";
  report(result, line.str());
}

}  // namespace
}  // namespace asiortc::bench

int main(int argc, char** argv) {
  using namespace asiortc::bench;
  placement where;
  double seconds = 3;
  std::vector<std::size_t> sizes{1024, 16384, 65536};
  CLI::App app("Throughput of one data channel between two processes");
  app.add_option("--sender-netns", where.sender_netns);
  app.add_option("--receiver-netns", where.receiver_netns);
  app.add_option("--seconds", seconds, "For each size")->check(CLI::Range(0.1, 60.0));
  app.add_option("--sizes", sizes, "Bytes of a message")->check(CLI::Range(1, 262144));
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  try {
    for (const std::size_t size : sizes) run_size(where, size, seconds);
  } catch (const std::exception& wrong) {
    std::cerr << "throughput: " << wrong.what() << '\n';
    return 1;
  }
}
