// Messages over whatever network the run was asked for.
#include "sim/sim.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

bool same_content(const std::vector<message>& sent, const std::vector<received_message>& received) {
  if (sent.size() != received.size()) return false;
  for (std::size_t index = 0; index < sent.size(); ++index) {
    if (!(sent[index] == received[index].value)) return false;
  }
  return true;
}

std::vector<message> messages_of_all_sizes() {
  std::vector<message> messages;
  for (const std::size_t size : {0U, 1U, 63U, 1183U, 1184U, 1200U, 16384U, 65536U, 262144U}) {
    messages.push_back(make_message(size, size));
    messages.push_back(make_message(size, size + 7, true));
  }
  return messages;
}

std::size_t position_of(const std::vector<message>& sent, const message& value) {
  return static_cast<std::size_t>(std::find(sent.begin(), sent.end(), value) - sent.begin());
}

}  // namespace

TEST_CASE("messages of 0 bytes to 256 KiB arrive whole and in order, both ways") {
  virtual_pair pair(sim_options());
  const auto ours = pair.a.create_channel("data");
  REQUIRE(pair.connect());
  REQUIRE(
      pair.run_until([&] { return pair.a.is_open(ours) && !pair.b.opened_by_peer.empty(); }, 60s));
  const auto sent = messages_of_all_sizes();
  for (const auto& each : sent) {
    pair.a.send(ours, each);
    pair.b.send(pair.b.opened_by_peer.front(), each);
  }
  const auto all_arrived = [&] {
    return pair.a.received.size() == sent.size() && pair.b.received.size() == sent.size();
  };
  REQUIRE(pair.run_until(all_arrived, 600s));
  CHECK(same_content(sent, pair.a.received));
  CHECK(same_content(sent, pair.b.received));
}

TEST_CASE("unordered messages all arrive, each once") {
  virtual_pair pair(sim_options());
  data_channel_init init;
  init.ordered = false;
  const auto ours = pair.a.create_channel("loose", init);
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return !pair.b.opened_by_peer.empty(); }, 60s));
  CHECK_FALSE(pair.b.core().channels().info(pair.b.opened_by_peer.front())->init.ordered);
  std::vector<message> sent;
  for (std::size_t index = 0; index < 100; ++index) {
    sent.push_back(make_message(500 + index, index));
    pair.a.send(ours, sent.back());
  }
  REQUIRE(pair.run_until([&] { return pair.b.received.size() >= sent.size(); }, 300s));
  pair.run_for(10s);
  CHECK(pair.b.received.size() == sent.size());
  std::vector<bool> seen(sent.size() + 1, false);
  for (const auto& each : pair.b.received) seen[position_of(sent, each.value)] = true;
  CHECK(std::count(seen.begin(), seen.end() - 1, true) == static_cast<std::ptrdiff_t>(sent.size()));
  CHECK_FALSE(seen.back());
}

TEST_CASE("a message with one try is lost with its packet and does not hold up the others") {
  virtual_pair pair(sim_options());
  data_channel_init init;
  init.ordered = false;
  init.max_retransmits = 0;
  const auto partial = pair.a.create_channel("partial", init);
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(partial); }, 60s));
  REQUIRE(pair.run_until([&] { return !pair.b.opened_by_peer.empty(); }, 60s));
  const auto opened = pair.b.core().channels().info(pair.b.opened_by_peer.front());
  CHECK(opened->init.max_retransmits == std::uint16_t{0});
  constexpr std::size_t count = 200;
  for (std::size_t index = 0; index < count; ++index) {
    pair.a.send(partial, make_message(300, index));
    pair.run_for(10ms);
  }
  pair.run_for(30s);
  CHECK(pair.b.received.size() <= count);
  // Twice the loss leaves room for an unlucky seed.
  const double arriving = 1 - 2 * sim_options().network.loss;
  CHECK(static_cast<double>(pair.b.received.size()) >= count * arriving);
  CHECK(pair.a.core().channels().total_unacknowledged() == 0);
}

TEST_CASE("a transfer of 1 MiB arrives intact") {
  virtual_pair pair(sim_options());
  const auto ours = pair.a.create_channel("bulk");
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours); }, 60s));
  std::vector<message> sent;
  for (std::size_t index = 0; index < 64; ++index) {
    sent.push_back(make_message(16384, index));
    pair.a.send(ours, sent.back());
  }
  REQUIRE(pair.run_until([&] { return pair.b.received.size() == sent.size(); }, 900s));
  CHECK(same_content(sent, pair.b.received));
  CHECK(pair.run_until([&] { return pair.a.core().channels().total_unacknowledged() == 0; }, 60s));
}

TEST_CASE("what is sent before the peers are connected arrives once they are") {
  virtual_pair pair(sim_options());
  const auto ours = pair.a.create_channel("early");
  pair.a.send(ours, make_message(100, 1));
  pair.a.send(ours, make_message(0, 0, true));
  REQUIRE(pair.run_until([&] { return pair.b.received.size() == 2; }, 60s));
  CHECK(pair.b.received[0].value == make_message(100, 1));
  CHECK(pair.b.received[1].value == make_message(0, 0, true));
}

TEST_CASE("negotiated channels with the same id meet without a word in band") {
  virtual_pair pair(sim_options());
  data_channel_init init;
  init.negotiated = true;
  init.id = 7;
  const auto ours = pair.a.create_channel("one", init);
  const auto theirs = pair.b.create_channel("two", init);
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours) && pair.b.is_open(theirs); }, 60s));
  pair.b.send(theirs, make_message(10, 3));
  REQUIRE(pair.run_until([&] { return pair.a.received.size() == 1; }, 60s));
  CHECK(pair.a.received[0].channel == ours);
  CHECK(pair.a.opened_by_peer.empty());
  CHECK(pair.b.opened_by_peer.empty());
}

TEST_CASE("a channel that one side closes ends in order on both, and its id is used again") {
  virtual_pair pair(sim_options());
  const auto ours = pair.a.create_channel("short");
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours); }, 60s));
  const auto id = pair.a.core().channels().info(ours)->id;
  pair.a.send(ours, make_message(5000, 5));
  pair.a.core().channels().close(pair.now(), ours);
  REQUIRE(pair.run_until(
      [&] { return pair.a.closed_channels.size() == 1 && pair.b.closed_channels.size() == 1; },
      120s));
  CHECK_FALSE(pair.a.closed_channels.begin()->second.code);
  CHECK_FALSE(pair.b.closed_channels.begin()->second.code);
  CHECK(pair.b.received_bytes == 5000);
  const auto next = pair.a.create_channel("next");
  CHECK(pair.a.core().channels().info(next)->id == id);
  REQUIRE(pair.run_until([&] { return pair.b.opened_by_peer.size() == 2; }, 60s));
}

TEST_CASE("a reader that does not read slows the sender down, and nothing is lost") {
  virtual_pair pair(sim_options());
  const auto ours = pair.a.create_channel("slow");
  pair.b.reads = false;
  REQUIRE(pair.connect());
  REQUIRE(pair.run_until([&] { return pair.a.is_open(ours); }, 60s));
  constexpr std::size_t count = 160;
  constexpr std::size_t size = 128 * 1024;
  for (std::size_t index = 0; index < count; ++index) {
    pair.a.send(ours, make_message(size, index));
  }
  pair.run_for(300s);
  // The budget is 8 MiB, and the window comes on top of it.
  CHECK(pair.b.received.size() < count);
  if (sim_options().network.loss == 0) CHECK(pair.b.received_bytes >= 8 * 1024 * 1024);
  CHECK(pair.b.received_bytes < 12 * 1024 * 1024);
  pair.b.reads = true;
  for (const auto& each : pair.b.received) {
    pair.b.core().channels().consumed(pair.now(), each.channel, each.value.size());
  }
  REQUIRE(pair.run_until([&] { return pair.b.received.size() == count; }, 900s));
  for (std::size_t index = 0; index < count; ++index) {
    CHECK(pair.b.received[index].value == make_message(size, index));
  }
}

}  // namespace asiortc::test
