// Candidate pairs in words and as a table.
#include <asiortc/candidate_pair.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace asiortc::inline ASIORTC_ABI {
namespace {

using std::chrono::microseconds;

constexpr std::size_t columns = 9;
using line = std::array<std::string, columns>;

std::string describe(const candidate_info& end) {
  const bool v6 = end.address.find(':') != std::string::npos;
  return to_string(end.type) + " " + (v6 ? "[" + end.address + "]" : end.address) + ":" +
         std::to_string(end.port);
}

std::string in_milliseconds(microseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

std::string describe_use(const candidate_pair_info& pair) {
  if (pair.selected) return "in use";
  return pair.nominated ? "nominated" : "";
}

std::string counts(std::uint64_t sent, std::uint64_t received) {
  return std::to_string(sent) + " / " + std::to_string(received);
}

line describe_row(const candidate_pair_info& pair) {
  const std::string protocol = pair.local.protocol == "udp" ? "" : " " + pair.local.protocol;
  std::string state(to_string(pair.state));
  if (!pair.failure.empty()) state += ": " + pair.failure;
  return {
      describe(pair.local) + protocol,
      describe(pair.remote),
      std::move(state),
      describe_use(pair),
      pair.round_trip_time ? in_milliseconds(*pair.round_trip_time) : "-",
      counts(pair.checks_sent, pair.checks_answered) + " / " + std::to_string(pair.checks_received),
      counts(pair.packets_sent, pair.packets_received),
      counts(pair.bytes_sent, pair.bytes_received),
      pair.heard_ago ? std::to_string(pair.heard_ago->count()) + " ms ago" : "never"};
}

}  // namespace

std::string to_string(const candidate_pair& pair) {
  std::string text =
      describe(pair.local) + " <-> " + describe(pair.remote) + " (" + pair.local.protocol;
  if (pair.round_trip_time) text += ", " + in_milliseconds(*pair.round_trip_time);
  return text + ")";
}

std::string format_table(const std::vector<candidate_pair_info>& pairs) {
  if (pairs.empty()) return {};
  std::vector<line> lines{{"local", "remote", "state", "use", "round trip",
                           "checks sent / answered / received", "packets sent / received",
                           "bytes sent / received", "heard"}};
  for (const auto& pair : pairs) lines.push_back(describe_row(pair));
  std::array<std::size_t, columns> widths{};
  for (const auto& each : lines) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], each[i].size());
  }
  std::string text;
  for (const auto& each : lines) {
    for (std::size_t i = 0; i < columns; ++i) {
      text += each[i];
      if (i + 1 < columns) text.append(widths[i] - each[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace asiortc::inline ASIORTC_ABI
