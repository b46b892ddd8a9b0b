// Whose a datagram is, among many agents on one port.
#include "ice/mux_table.hpp"

#include "agent_pair.hpp"
#include "ice/check_message.hpp"
#include "ice/ufrag_registry.hpp"
#include "stun/message_builder.hpp"
#include "support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace asiortc;
using namespace asiortc::test;
using ice::mux_peer;

namespace {

constexpr base::socket_id socket{7};

base::route numbered_route(unsigned number) {
  const std::array<std::uint8_t, 4> octets{10, static_cast<std::uint8_t>(number >> 16),
                                           static_cast<std::uint8_t>(number >> 8),
                                           static_cast<std::uint8_t>(number)};
  return {socket, {base::ip_address::v4(octets), 5000}};
}

/// A table, its time, and the packets that its peers and others send.
struct bench {
  explicit bench(ice::mux_limits limits = {}) : table(limits, 42) {}

  mux_peer add(const std::string& ufrag) {
    const auto peer = table.add_peer();
    CHECK(table.add_ufrag(peer, ufrag));
    return peer;
  }

  base::bytes check(const std::string& receiver, const std::string& sender) {
    ice::check_request request;
    request.id = ice::make_transaction_id(random);
    return ice::build_check(request, {sender, "a password of the sender"},
                            {receiver, "a password of the receiver"});
  }

  base::bytes question() { return ice::build_server_request(ice::make_transaction_id(random)); }

  static base::bytes answer(const base::bytes& request) {
    return ice::build_success(*stun::message_view::parse(request), ep("192.0.2.1:1"),
                              {"any", "any password will do here"});
  }

  bool send(mux_peer peer, const base::route& to, const base::bytes& packet) {
    return table.note_sent(now, peer, to, packet);
  }
  mux_peer arrives(const base::route& from, const base::bytes& packet) {
    return table.find(now, from, packet);
  }

  const base::bytes data{23, 254, 253, 0, 1};
  const base::route here = numbered_route(1);
  seeded_random random{5};
  base::time_point now{std::chrono::seconds(100)};
  ice::mux_table table;
};

}  // namespace

TEST_CASE("a check goes to the peer whose fragment it names, from any address") {
  bench b;
  const auto one = b.add("frag");
  const auto two = b.add("frog");
  for (unsigned i = 0; i < 10; ++i) {
    CHECK(b.arrives(numbered_route(i), b.check("frag", "them")) == one);
    CHECK(b.arrives(numbered_route(i), b.check("frog", "them")) == two);
  }
  CHECK(b.arrives(b.here, b.check("fra", "them")) == mux_peer::none);
  CHECK(b.arrives(b.here, b.check("", "them")) == mux_peer::none);
  CHECK(b.table.counters().unknown == 2);
  CHECK(b.table.routes() == 0);
}

TEST_CASE("a fragment is one peer's, until it gives it up or goes") {
  bench b;
  const auto one = b.add("old");
  const auto two = b.table.add_peer();
  CHECK_FALSE(b.table.add_ufrag(two, "old"));
  CHECK(b.table.add_ufrag(one, "new"));
  CHECK(b.arrives(b.here, b.check("old", "x")) == one);
  CHECK(b.arrives(b.here, b.check("new", "x")) == one);
  b.table.remove_ufrag(two, "old");  // not its own
  CHECK(b.arrives(b.here, b.check("old", "x")) == one);
  b.table.remove_ufrag(one, "old");
  CHECK(b.arrives(b.here, b.check("old", "x")) == mux_peer::none);
  CHECK(b.table.add_ufrag(two, "old"));
  b.table.remove_peer(one);
  CHECK(b.table.add_ufrag(two, "new"));
  CHECK_FALSE(b.table.add_ufrag(one, "late"));  // it is gone
}

TEST_CASE("an answer goes to who asked, once, however many ask the same server") {
  bench b;
  const auto server = numbered_route(99);
  std::vector<std::pair<mux_peer, base::bytes>> asked;
  for (int i = 0; i < 50; ++i) {
    const auto peer = b.add("peer" + std::to_string(i));
    asked.emplace_back(peer, b.question());
    CHECK(b.send(peer, server, asked.back().second));
  }
  CHECK(b.table.routes() == 0);  // a server is nobody's
  for (const auto& [peer, request] : asked) {
    CHECK(b.arrives(server, bench::answer(request)) == peer);
    CHECK(b.arrives(server, bench::answer(request)) == mux_peer::none);
  }
  CHECK(b.table.requests() == 0);
  CHECK(b.arrives(server, bench::answer(b.question())) == mux_peer::none);
}

TEST_CASE("a request is forgotten after ten seconds, unless it was sent again") {
  bench b;
  const auto one = b.add("frag");
  const auto lost = b.question();
  const auto kept = b.question();
  b.send(one, b.here, lost);
  b.send(one, b.here, kept);
  b.now += 6s;
  b.send(one, b.here, kept);
  b.now += 6s;
  b.send(one, b.here, b.question());
  CHECK(b.arrives(b.here, bench::answer(lost)) == mux_peer::none);
  CHECK(b.arrives(b.here, bench::answer(kept)) == one);
}

TEST_CASE("what is no STUN goes to the peer that sends to its address") {
  bench b;
  const auto one = b.add("one");
  const auto two = b.add("two");
  CHECK(b.arrives(b.here, b.data) == mux_peer::none);
  b.send(one, b.here, b.check("them", "one"));
  b.send(two, numbered_route(2), bench::answer(b.check("two", "them")));
  CHECK(b.arrives(b.here, b.data) == one);
  CHECK(b.arrives(numbered_route(2), b.data) == two);
  base::route other_socket = b.here;
  other_socket.local = base::socket_id{8};
  CHECK(b.arrives(other_socket, b.data) == mux_peer::none);
  CHECK(b.table.owner(b.here) == one);
  b.table.remove_socket(socket);
  CHECK(b.arrives(b.here, b.data) == mux_peer::none);
  CHECK(b.table.routes() == 0);
}

TEST_CASE("an address that is only tried goes to who tried it last, one in use to nobody else") {
  bench b;
  const auto one = b.add("one");
  const auto two = b.add("two");
  CHECK(b.send(one, b.here, b.check("them", "one")));
  CHECK(b.send(two, b.here, b.check("them", "two")));
  CHECK(b.arrives(b.here, b.data) == two);
  CHECK(b.send(one, b.here, b.check("them", "one")));
  CHECK(b.send(one, b.here, b.data));
  CHECK_FALSE(b.send(two, b.here, b.check("them", "two")));
  CHECK_FALSE(b.send(two, b.here, b.data));
  CHECK(b.arrives(b.here, b.data) == one);
  // Nor does the other's check reach it: its answer could not come back.
  CHECK(b.arrives(b.here, b.check("two", "them")) == mux_peer::none);
  CHECK(b.table.counters().conflicts == 3);
  CHECK(b.table.counters().unknown == 0);
  b.table.remove_peer(one);
  CHECK(b.send(two, b.here, b.data));
  CHECK(b.arrives(b.here, b.data) == two);
}

TEST_CASE("an address in use changes hands only when its owner was not heard for ten seconds") {
  bench b;
  const auto one = b.add("one");
  const auto two = b.add("two");
  b.send(one, b.here, b.data);
  for (int i = 0; i < 4; ++i) {
    b.now += 9s;
    CHECK(b.arrives(b.here, b.check("one", "them")) == one);  // as good as data
    CHECK_FALSE(b.send(two, b.here, b.check("them", "two")));
  }
  for (int i = 0; i < 11; ++i) {
    b.now += 1s;
    b.send(one, b.here, b.check("them", "one"));  // what the owner sends is no sign of life
  }
  CHECK(b.arrives(b.here, b.check("two", "them")) == two);
  CHECK(b.send(two, b.here, b.check("them", "two")));
  CHECK(b.send(two, b.here, b.data));
  CHECK_FALSE(b.send(one, b.here, b.check("them", "one")));
}

TEST_CASE("a hundred thousand checks from as many addresses leave nothing in the table") {
  bench b;
  const auto one = b.add("one");
  b.send(one, b.here, b.data);
  for (unsigned i = 0; i < 100000; ++i) {
    CHECK(b.arrives(numbered_route(i + 10), b.check("one", "them")) == one);
  }
  CHECK(b.table.routes() == 1);
  CHECK(b.table.requests() == 0);
  CHECK(b.arrives(b.here, b.data) == one);
}

TEST_CASE("who knows the password moves a peer to many addresses, and the one in use stays") {
  bench b;
  const auto one = b.add("one");
  b.send(one, b.here, b.data);
  for (unsigned i = 0; i < 10000; ++i) {
    const auto check = b.check("one", "them");
    const auto from = numbered_route(i + 10);
    CHECK(b.arrives(from, check) == one);
    CHECK(b.send(one, from, bench::answer(check)));
    CHECK(b.send(one, from, b.check("them", "one")));
    if (i % 50 == 0) CHECK(b.arrives(b.here, b.data) == one);
  }
  CHECK(b.table.routes() == 64);
  CHECK(b.table.requests() == 512);
  CHECK(b.arrives(b.here, b.data) == one);
  b.table.remove_peer(one);
  CHECK(b.table.routes() == 0);
  CHECK(b.table.requests() == 0);
  CHECK(b.table.peers() == 0);
}

TEST_CASE("addresses that carried nothing for half a minute are forgotten with the next one") {
  bench b;
  const auto one = b.add("one");
  for (unsigned i = 0; i < 40; ++i) b.send(one, numbered_route(i), b.check("them", "one"));
  CHECK(b.table.routes() == 40);
  b.now += 20s;
  CHECK(b.arrives(numbered_route(3), b.data) == one);
  b.now += 20s;
  b.send(one, numbered_route(50), b.check("them", "one"));
  CHECK(b.table.routes() == 2);
}

TEST_CASE("all peers together are bounded, and what is beyond is sent and not kept") {
  ice::mux_limits limits;
  limits.routes = 3;
  bench b(limits);
  const auto one = b.add("one");
  const auto two = b.add("two");
  for (unsigned i = 0; i < 3; ++i) b.send(one, numbered_route(i), b.data);
  const auto check = b.check("them", "two");
  CHECK(b.send(two, numbered_route(9), check));
  CHECK(b.table.routes() == 3);
  CHECK(b.arrives(numbered_route(9), bench::answer(check)) == two);
  CHECK(b.arrives(numbered_route(9), b.data) == mux_peer::none);
}

TEST_CASE("between two peers of one table the checks say who talks to whom") {
  bench b;
  const auto one = b.add("one");
  const auto two = b.add("two");
  const auto other = b.add("other");
  const auto partner = [&](mux_peer sender, const base::bytes& packet) {
    return b.table.find_partner(b.now, sender, packet);
  };
  CHECK(partner(one, b.data) == mux_peer::none);  // before any check
  const auto check = b.check("two", "one");
  CHECK(partner(one, check) == two);
  CHECK(partner(two, bench::answer(check)) == one);
  CHECK(partner(two, b.data) == one);
  CHECK(partner(one, b.data) == two);
  CHECK(partner(other, b.data) == mux_peer::none);
  CHECK(partner(other, b.check("nobody", "other")) == mux_peer::none);
  b.table.remove_peer(two);
  CHECK(partner(one, b.data) == mux_peer::none);
  CHECK(b.table.routes() == 0);
}

TEST_CASE("malformed STUN and other methods are nobody's, and indications go by address") {
  bench b;
  const auto one = b.add("one");
  b.send(one, b.here, b.data);
  auto broken = b.check("one", "them");
  broken.pop_back();
  CHECK(b.arrives(b.here, broken) == mux_peer::none);
  CHECK(b.arrives(b.here, {}) == one);  // an empty datagram is no STUN
  CHECK(b.arrives(b.here, {0}) == mux_peer::none);
  const auto build = [&](stun::message_class kind, stun::method method) {
    stun::message_builder message(kind, method, ice::make_transaction_id(b.random));
    message.add_fingerprint();
    return std::move(message).take();
  };
  CHECK(b.arrives(b.here, build(stun::message_class::success, stun::method::allocate)) ==
        mux_peer::none);
  CHECK(b.arrives(b.here, build(stun::message_class::indication, stun::method::binding)) == one);
}

namespace {

/// Refuses the first few, and knows what is taken.
class picky_registry final : public ice::ufrag_registry {
 public:
  explicit picky_registry(int refusals) : refusals_(refusals) {}
  bool add(const std::string& ufrag) override {
    if (refusals_-- > 0) return false;
    return taken.insert(ufrag).second;
  }
  void remove(const std::string& ufrag) noexcept override { taken.erase(ufrag); }

  std::set<std::string> taken;

 private:
  int refusals_;
};

}  // namespace

TEST_CASE("an agent whose fragment is taken makes another") {
  picky_registry registry(5);
  ice::agent_settings settings;
  settings.ufrags = &registry;
  seeded_random random(3);
  {
    ice::agent agent(settings, random, base::logger());
    CHECK(registry.taken == std::set{agent.local_credentials().ufrag});
  }
  CHECK(registry.taken.empty());
  picky_registry never(1000);
  settings.ufrags = &never;
  ice::agent agent(settings, random, base::logger());
  CHECK(agent.local_credentials().ufrag.size() == 8);
}

TEST_CASE("both fragments of a restart are registered until the new pair carries the data") {
  picky_registry registry(0);
  ice::agent_settings settings;
  settings.ufrags = &registry;
  agent_pair pair(7, {}, settings);
  pair.add_default_sockets();
  pair.signal();
  REQUIRE(pair.connect());
  CHECK(registry.taken.size() == 2);  // one of each side
  const auto before = pair.left.agent.local_credentials().ufrag;
  pair.left.agent.restart(pair.net.now);
  CHECK(registry.taken.contains(before));
  CHECK(registry.taken.contains(pair.left.agent.local_credentials().ufrag));
  pair.right.agent.set_remote_credentials(pair.net.now, pair.left.agent.local_credentials());
  pair.left.agent.set_remote_credentials(pair.net.now, pair.right.agent.local_credentials());
  pair.trickle(pair.left, pair.right);
  pair.trickle(pair.right, pair.left);
  pair.pump();
  CHECK(registry.taken.size() == 4);
  pair.run_for(60s);
  CHECK(registry.taken == std::set{pair.left.agent.local_credentials().ufrag,
                                   pair.right.agent.local_credentials().ufrag});
}
