// That the model's NATs are what they are called, probed from inside as RFC 5780 has it.
#include "sim/matrix.hpp"
#include "stun/message_builder.hpp"
#include "stun/message_view.hpp"

#include <doctest/doctest.h>

#include <optional>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

/// A host of that kind that asks STUN servers, on a network that loses nothing.
class prober {
 public:
  explicit prober(const nat_kind& kind)
      : net(1, {}), v6_(kind.v6), site_(add_site(net, kind, side::offerer, [this](const auto& got) {
          const auto answer = stun::message_view::parse(got.bytes);
          REQUIRE(answer);
          mapped_ = answer->mapped_address();
          from_ = got.from;
        })) {}

  base::socket_id open() { return net.bind(site_); }
  [[nodiscard]] base::endpoint own(base::socket_id socket) const {
    return net.local_endpoint(site_, socket);
  }
  [[nodiscard]] base::endpoint server(bool other_address = false, bool other_port = false) const {
    return virtual_internet::server_endpoint(v6_, other_address, other_port);
  }

  /// What the server saw the request come from; nothing where no answer gets back to the socket
  /// from where it was asked for.
  std::optional<base::endpoint> ask(base::socket_id socket, const base::endpoint& to,
                                    std::uint32_t change = 0) {
    stun::message_builder request(stun::message_class::request, stun::method::binding, {});
    if (change != 0) request.add_u32(static_cast<stun::attribute_type>(0x0003), change);
    mapped_.reset();
    net.send(site_, {socket, to}, request.bytes());
    while (net.next_event() != base::never) net.advance(net.next_event());
    if (!mapped_) return std::nullopt;
    const base::endpoint expected = server((change & change_ip) != 0, (change & change_port) != 0);
    CHECK(from_ == base::route{socket, change == 0 ? to : expected});
    return mapped_;
  }

  /// RFC 5780 4.3.
  dependence mapping() {
    const auto socket = open();
    const auto first = ask(socket, server());
    const auto second = ask(socket, server(true));
    const auto third = ask(socket, server(true, true));
    REQUIRE((first && second && third));
    if (second == first) {
      CHECK(third == first);
      return dependence::endpoint_independent;
    }
    return third == second ? dependence::address_dependent : dependence::address_and_port_dependent;
  }

  /// RFC 5780 4.4.
  dependence filtering() {
    const auto socket = open();
    REQUIRE(ask(socket, server()));
    if (ask(socket, server(), change_ip | change_port)) return dependence::endpoint_independent;
    return ask(socket, server(), change_port) ? dependence::address_dependent
                                              : dependence::address_and_port_dependent;
  }

  virtual_internet net;

 private:
  bool v6_;
  virtual_internet::site site_;
  std::optional<base::endpoint> mapped_;
  base::route from_;
};

}  // namespace

TEST_CASE("each kind of NAT is what it is called") {
  for (const auto& kind : nat_kinds()) {
    CAPTURE(kind.name);
    prober host(kind);
    const auto socket = host.open();
    const auto seen = host.ask(socket, host.server());
    REQUIRE(seen.has_value() == kind.behaviour.udp);
    if (!kind.behaviour.udp) continue;
    CHECK((seen != host.own(socket)) == kind.behaviour.translates);
    CHECK(host.ask(socket, host.server()) == seen);
    CHECK(host.mapping() == kind.behaviour.mapping);
    CHECK(host.filtering() == kind.behaviour.filtering);
  }
}

TEST_CASE("a mapping lives for two minutes after the last packet from inside") {
  for (const auto& kind : nat_kinds()) {
    if (!kind.router || !kind.behaviour.udp) continue;
    CAPTURE(kind.name);
    prober host(kind);
    const auto socket = host.open();
    const auto first = host.ask(socket, host.server());
    for (int repeated = 0; repeated < 3; ++repeated) {
      host.net.advance(host.net.now() + 119s);
      CHECK(host.ask(socket, host.server()) == first);
    }
    host.net.advance(host.net.now() + 121s);
    CHECK((host.ask(socket, host.server()) == first) == !kind.behaviour.translates);
  }
}

TEST_CASE("a filter forgets whom nothing was sent to for two minutes") {
  virtual_nat nat(*base::ip_address::parse("203.0.113.1"), {});
  const auto ep = [](const char* text) { return *base::endpoint::parse(text); };
  const auto inside = ep("10.0.0.1:5000");
  const auto remote = ep("198.51.100.1:3478");
  const base::time_point start{1h};
  const auto outside = nat.translate_out(start, inside, remote);
  REQUIRE(outside);
  CHECK(nat.translate_in(start + 119s, remote, *outside) == inside);
  CHECK(nat.translate_out(start + 119s, inside, ep("198.51.100.2:3478")) == outside);
  CHECK_FALSE(nat.translate_in(start + 120s, remote, *outside));
}

TEST_CASE("no packet from inside comes back in") {
  virtual_nat nat(*base::ip_address::parse("203.0.113.1"), {});
  const auto inside = *base::endpoint::parse("10.0.0.1:5000");
  const auto outside =
      nat.translate_out(base::time_point{1h}, inside, *base::endpoint::parse("198.51.100.1:3478"));
  REQUIRE(outside);
  CHECK_FALSE(nat.translate_out(base::time_point{1h}, inside, *outside));
}

TEST_CASE("a stream delivers what was written, whole and in order, whatever is lost") {
  network_conditions conditions;
  conditions.loss = 0.2;
  virtual_stream stream(1, conditions);
  base::time_point now{1h};
  std::vector<base::bytes> sent;
  for (std::uint8_t number = 0; number < 100; ++number) {
    stun::message_builder message(stun::message_class::indication, stun::method::data, {number});
    const base::bytes content(number, number);
    message.add(stun::attribute_type::data, content);
    sent.emplace_back(message.bytes().begin(), message.bytes().end());
    stream.write(now, sent.back());
  }
  std::vector<base::bytes> arrived;
  while (stream.next_arrival() != base::never) {
    now = stream.next_arrival();
    stream.deliver(
        now, [&](base::byte_span packet) { arrived.emplace_back(packet.begin(), packet.end()); });
  }
  CHECK(arrived == sent);
  CHECK(now > base::time_point{1h} + conditions.delay);
}

}  // namespace asiortc::test
