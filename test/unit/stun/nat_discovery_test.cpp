#include "stun/nat_discovery.hpp"

#include "stun/message_builder.hpp"
#include "support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

using namespace asiortc;
using namespace std::chrono_literals;

namespace {

using stun::attribute_type;

base::endpoint ep(std::string_view text) { return *base::endpoint::parse(text); }

const auto primary = ep("198.51.100.1:3478");
const auto alternate = ep("198.51.100.2:3479");

/// A NAT of any kind before two sockets on 10.0.0.2, a server behind it, and the time between them.
class bench {
 public:
  nat_behaviour mapping = nat_behaviour::endpoint_independent;
  nat_behaviour filtering = nat_behaviour::endpoint_independent;
  bool translates = true;
  base::endpoint told_other = alternate;
  bool tells_other = true;
  std::uint16_t error = 0;  ///< the server's answer to a CHANGE-REQUEST
  std::function<bool(int number)> deliver = [](int) { return true; };

  explicit bench(stun::nat_discovery_settings settings = {}) {
    settings.server = primary;
    core_.emplace(settings, random_);
  }

  const stun::nat_findings& run() {
    core_->start(now);
    for (pump(); !core_->done(); pump()) {
      now = core_->next_deadline();
      REQUIRE(now != base::never);
      core_->handle_timeout(now);
    }
    CHECK(core_->next_deadline() == base::never);
    return core_->findings();
  }

  /// An answer to the latest request, changed at will.
  void inject(const base::endpoint& from, const stun::message_builder& message,
              base::socket_id to) {
    base::bytes bytes(message.bytes().begin(), message.bytes().end());
    base::datagram datagram;
    datagram.bytes = bytes;
    datagram.from = {to, from};
    core_->handle_datagram(now, datagram);
  }

  std::function<void(const stun::message_view&, const base::route&)> on_request;
  base::time_point now{1h};
  std::vector<base::endpoint> asked;

 private:
  void pump() {
    base::packet_batch batch;
    core_->poll_transmit(batch);
    for (const auto& packet : batch.entries()) {
      asked.push_back(packet.to.remote);
      const auto message = stun::message_view::parse(batch.view(packet));
      REQUIRE(message);
      if (on_request) on_request(*message, packet.to);
      if (deliver(static_cast<int>(asked.size()))) serve(*message, packet.to);
    }
    if (!batch.empty()) pump();
  }

  void serve(const stun::message_view& request, const base::route& way) {
    const base::endpoint& to = way.remote;
    if (to.address != primary.address && to.address != alternate.address) return;
    const base::endpoint mapped = translate(way);
    allowed_[way.local].push_back(to);
    const std::uint32_t change = request.find_u32(attribute_type::change_request).value_or(0);
    if (change != 0 && error != 0) {
      stun::message_builder refusal(stun::message_class::error, stun::method::binding,
                                    request.transaction());
      refusal.add_error(error, "no");
      return inject(to, refusal, way.local);
    }
    base::endpoint source = to;
    if ((change & 4) != 0) source.address = alternate.address;
    if ((change & 2) != 0) source.port = alternate.port;
    if (!admits(way.local, source)) return;
    stun::message_builder answer(stun::message_class::success, stun::method::binding,
                                 request.transaction());
    answer.add_xor_address(attribute_type::xor_mapped_address, mapped);
    if (tells_other) answer.add_address(attribute_type::other_address, told_other);
    inject(source, answer, way.local);
  }

  base::endpoint translate(const base::route& way) {
    base::endpoint flow = way.remote;
    if (mapping != nat_behaviour::address_and_port_dependent) flow.port = 0;
    if (mapping == nat_behaviour::endpoint_independent) flow = {};
    const auto [place, is_new] = ports_.try_emplace({way.local, flow}, next_port_);
    if (is_new) ++next_port_;
    return {*base::ip_address::parse(translates ? "203.0.113.1" : "10.0.0.2"), place->second};
  }

  bool admits(base::socket_id to, const base::endpoint& from) {
    const auto& known = allowed_[to];
    return std::any_of(known.begin(), known.end(), [&](const base::endpoint& each) {
      if (filtering == nat_behaviour::endpoint_independent) return true;
      return filtering == nat_behaviour::address_dependent ? each.address == from.address
                                                           : each == from;
    });
  }

  test::seeded_random random_{1};
  std::optional<stun::nat_discovery> core_;
  std::map<std::pair<base::socket_id, base::endpoint>, std::uint16_t> ports_;
  std::map<base::socket_id, std::vector<base::endpoint>> allowed_;
  std::uint16_t next_port_ = 20000;
};

constexpr auto kinds = {nat_behaviour::endpoint_independent, nat_behaviour::address_dependent,
                        nat_behaviour::address_and_port_dependent};

}  // namespace

TEST_CASE("each mapping with each filtering is told apart, within three seconds") {
  for (const auto mapping : kinds) {
    for (const auto filtering : kinds) {
      bench b;
      b.mapping = mapping;
      b.filtering = filtering;
      const auto start = b.now;
      const auto& found = b.run();
      CAPTURE(to_string(mapping));
      CAPTURE(to_string(filtering));
      CHECK(found.mapping == mapping);
      CHECK(found.filtering == filtering);
      CHECK(found.mapped == ep("203.0.113.1:20000"));
      CHECK(found.other == alternate);
      CHECK(b.now - start <= 2500ms);
    }
  }
}

TEST_CASE("a lost packet changes nothing of what is found") {
  for (int lost = 1; lost <= 6; ++lost) {
    for (const auto filtering : kinds) {
      bench b;
      b.mapping = nat_behaviour::address_dependent;
      b.filtering = filtering;
      b.deliver = [lost](int number) { return number != lost; };
      const auto& found = b.run();
      CAPTURE(lost);
      CHECK(found.mapping == nat_behaviour::address_dependent);
      CHECK(found.filtering == filtering);
    }
  }
}

TEST_CASE("a server without another address says no more than what we look like") {
  bench b;
  SUBCASE("it names none") { b.tells_other = false; }
  SUBCASE("it names its own") { b.told_other = primary; }
  SUBCASE("only the port is another") { b.told_other = ep("198.51.100.1:3479"); }
  SUBCASE("only the address is another") { b.told_other = ep("198.51.100.2:3478"); }
  SUBCASE("it would have us ask this machine") { b.told_other = ep("127.0.0.1:3479"); }
  SUBCASE("it would have us ask our own network") { b.told_other = ep("10.0.0.1:3479"); }
  SUBCASE("it would have us ask everybody") { b.told_other = ep("224.0.0.1:3479"); }
  SUBCASE("it would have us ask another family") { b.told_other = ep("[2001:db8::1]:3479"); }
  SUBCASE("it names no port") { b.told_other = ep("198.51.100.2:0"); }
  const auto& found = b.run();
  CHECK(found.mapped == ep("203.0.113.1:20000"));
  CHECK_FALSE(found.other);
  CHECK(found.mapping == nat_behaviour::unknown);
  CHECK(found.filtering == nat_behaviour::unknown);
  CHECK(b.asked.size() == 1);
}

TEST_CASE("a server that does not change its address on request leaves the filtering unknown") {
  bench b;
  b.error = stun::error_unknown_attribute;
  const auto& found = b.run();
  CHECK(found.mapping == nat_behaviour::endpoint_independent);
  CHECK(found.filtering == nat_behaviour::unknown);
}

TEST_CASE("silence is given up after two and a half seconds and three requests") {
  bench b;
  b.deliver = [](int) { return false; };
  const auto start = b.now;
  const auto& found = b.run();
  CHECK_FALSE(found.mapped);
  CHECK(found.refused_with == 0);
  CHECK(b.now - start == 2500ms);
  CHECK(b.asked.size() == 3);
}

TEST_CASE("only the first question is asked where no more is wanted") {
  stun::nat_discovery_settings settings;
  settings.whole = false;
  bench b(settings);
  const auto& found = b.run();
  CHECK(found.mapped);
  CHECK(found.round_trip_time == base::duration(0));
  CHECK(b.asked.size() == 1);
}

TEST_CASE("answers that were not asked for are nothing") {
  bench b;
  b.deliver = [](int number) { return number > 1; };
  b.on_request = [&](const stun::message_view& request, const base::route& way) {
    auto id = request.transaction();
    stun::message_builder elsewhere(stun::message_class::success, stun::method::binding, id);
    elsewhere.add_xor_address(attribute_type::xor_mapped_address, ep("192.0.2.66:1"));
    b.inject(ep("192.0.2.66:3478"), elsewhere, way.local);
    b.inject(way.remote, elsewhere, base::socket_id{77});
    stun::message_builder empty(stun::message_class::success, stun::method::binding, id);
    b.inject(way.remote, empty, way.local);
    stun::message_builder other_method(stun::message_class::success, stun::method::allocate, id);
    other_method.add_xor_address(attribute_type::xor_mapped_address, ep("192.0.2.66:1"));
    b.inject(way.remote, other_method, way.local);
    id[0] ^= 1;
    stun::message_builder unasked(stun::message_class::success, stun::method::binding, id);
    unasked.add_xor_address(attribute_type::xor_mapped_address, ep("192.0.2.66:1"));
    b.inject(way.remote, unasked, way.local);
  };
  const auto& found = b.run();
  CHECK(found.mapped == ep("203.0.113.1:20000"));
  CHECK_FALSE(found.round_trip_time);  // the request was sent twice
  CHECK(found.mapping == nat_behaviour::endpoint_independent);
}

TEST_CASE("a server that cannot be reached is not waited for") {
  stun::nat_discovery_settings settings;
  settings.server = primary;
  test::seeded_random random(1);
  stun::nat_discovery core(settings, random);
  const base::time_point now{1h};
  core.start(now);
  core.handle_send_error({settings.mapping_socket, alternate});
  CHECK_FALSE(core.done());
  core.handle_send_error({settings.mapping_socket, primary});
  CHECK(core.done());
  CHECK(core.findings().unreachable);
}

TEST_CASE("a refusal is told with its code") {
  bench b;
  b.deliver = [](int) { return false; };
  b.on_request = [&](const stun::message_view& request, const base::route& way) {
    stun::message_builder refusal(stun::message_class::error, stun::method::binding,
                                  request.transaction());
    refusal.add_error(stun::error_unauthenticated, "Unauthorized");
    b.inject(way.remote, refusal, way.local);
  };
  CHECK(b.run().refused_with == 401);
}
