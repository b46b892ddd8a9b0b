#include "pair.hpp"

#include "virtual_time.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace asiortc::test {
namespace {

constexpr base::duration step_length = std::chrono::milliseconds(1);
constexpr unsigned steps_a_tick = 10;

}  // namespace

side::side(const sctp::settings& settings)
    : association(sctp::usrsctp_engine().create(settings, [this] { ++wakes; })) {}

void side::poll() {
  while (auto event = association->poll_event()) events.push_back(std::move(*event));
}

std::size_t side::received_bytes() const {
  std::size_t total = 0;
  for (const auto& event : events) {
    if (const auto* message = std::get_if<sctp::message_received>(&event)) {
      total += message->payload.size();
    }
  }
  return total;
}

void side::send(std::uint16_t stream, base::byte_span payload) {
  sctp::send_options options;
  options.stream = sctp::stream_id{stream};
  const auto taken = association->send(virtual_now(), options, payload);
  REQUIRE(taken.has_value());
  REQUIRE(*taken);
}

pair::pair(network_settings net, sctp::settings a_settings, sctp::settings b_settings)
    : a(a_settings), b(b_settings), network(net), random_(net.seed) {}

void pair::connect() {
  a.association->connect(virtual_now());
  b.association->connect(virtual_now());
  const bool done =
      run_until([this] { return a.has<sctp::connected>() && b.has<sctp::connected>(); });
  REQUIRE(done);
}

void pair::run_for(base::duration time) {
  const auto end = virtual_now() + time;
  while (virtual_now() < end) step();
}

bool pair::run_until(const std::function<bool()>& done, base::duration limit) {
  const auto end = virtual_now() + limit;
  while (!done()) {
    if (virtual_now() >= end) return false;
    step();
  }
  return true;
}

void pair::step() {
  collect();
  advance_virtual_time(step_length);
  if (++steps_ % steps_a_tick == 0) sctp::usrsctp_engine().tick(virtual_now());
  deliver();
  a.poll();
  b.poll();
}

void pair::collect() {
  ship(true);
  ship(false);
}

void pair::ship(bool from_a) {
  side& from = from_a ? a : b;
  base::packet_batch batch;
  from.association->poll_packets(batch);
  std::uniform_real_distribution<double> chance(0, 1);
  for (const auto& entry : batch.entries()) {
    const auto view = batch.view(entry);
    from.largest_packet = std::max(from.largest_packet, view.size());
    ++from.packets_sent;
    base::bytes packet(view.begin(), view.end());
    if (tap) tap(from_a, packet);
    if (chance(random_) < network.loss) continue;
    const int copies = chance(random_) < network.duplication ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      const auto extra = static_cast<base::duration::rep>(
          chance(random_) * static_cast<double>(network.jitter.count()));
      const auto due = virtual_now() + network.delay + base::duration(extra);
      wire_.emplace(due, on_the_way{from_a, packet});
    }
  }
}

void pair::deliver() {
  base::packet_batch to_a;
  base::packet_batch to_b;
  const auto due = wire_.upper_bound(virtual_now());
  for (auto it = wire_.begin(); it != due; ++it) {
    (it->second.from_a ? to_b : to_a).append(it->second.packet);
  }
  wire_.erase(wire_.begin(), due);
  if (!to_a.empty()) a.association->handle_packets(virtual_now(), to_a);
  if (!to_b.empty()) b.association->handle_packets(virtual_now(), to_b);
}

base::bytes pattern(std::size_t size, std::uint8_t seed) {
  base::bytes result(size);
  for (std::size_t i = 0; i < size; ++i)
    result[i] = static_cast<std::uint8_t>(seed + i * 7 + i / 251);
  return result;
}

}  // namespace asiortc::test
