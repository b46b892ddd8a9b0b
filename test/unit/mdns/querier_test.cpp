#include "mdns/querier.hpp"

#include "mdns/message.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using namespace std::chrono_literals;

namespace {

const base::endpoint responder{*base::ip_address::parse("192.0.2.1"), mdns::port};

/// A querier in hand-set time.
struct bench {
  mdns::querier querier;
  base::time_point now{};

  std::vector<mdns::message> queries() {
    std::vector<mdns::message> sent;
    while (const auto data = querier.poll_transmit()) {
      const auto message = mdns::parse_message(*data);
      REQUIRE(message);
      sent.push_back(*message);
    }
    return sent;
  }

  void answer(std::string name, const std::vector<std::string>& addresses, std::uint32_t ttl = 120,
              const base::endpoint& from = responder, bool response = true) {
    mdns::message message;
    message.response = response;
    for (const auto& text : addresses) {
      message.addresses.push_back({name, *base::ip_address::parse(text), ttl, true});
    }
    querier.handle_datagram(now, mdns::write_message(message), from);
  }

  std::vector<std::string> result() {
    const auto event = querier.poll_event();
    REQUIRE(event);
    std::vector<std::string> texts;
    for (const auto& address : event->addresses) texts.push_back(address.to_string());
    return texts;
  }
};

}  // namespace

TEST_CASE("a name is asked for at once, one question a message, and the answer ends it") {
  bench b;
  b.querier.resolve(b.now, "Some-Host.local");
  const auto sent = b.queries();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].questions ==
        std::vector<mdns::question>{{"some-host.local", mdns::record_type::a, false}});
  CHECK(sent[1].questions ==
        std::vector<mdns::question>{{"some-host.local", mdns::record_type::aaaa, false}});
  b.answer("SOME-host.local", {"192.0.2.9"});
  CHECK(b.result() == std::vector<std::string>{"192.0.2.9"});
  CHECK(b.querier.idle());
  CHECK(b.querier.next_deadline() == base::never);
}

TEST_CASE("queries are repeated at 100 ms, 400 ms, 1 s and 3 s, and given up at 5 s") {
  bench b;
  b.querier.resolve(b.now, "a.local");
  CHECK(b.queries().size() == 2);
  for (const auto at : {100ms, 400ms, 1000ms, 3000ms}) {
    const auto due = base::time_point(at);
    CHECK(b.querier.next_deadline() == due);
    b.querier.handle_timeout(due - 1us);
    CHECK(b.queries().empty());
    b.querier.handle_timeout(due);
    CHECK(b.queries().size() == 2);
  }
  CHECK(b.querier.next_deadline() == base::time_point(5s));
  CHECK_FALSE(b.querier.poll_event());
  b.querier.handle_timeout(base::time_point(5s));
  CHECK(b.queries().empty());
  CHECK(b.result().empty());
  CHECK(b.querier.idle());
}

TEST_CASE(
    "IPv6 comes first, repeated and useless addresses are dropped, and their number bounded") {
  bench b;
  b.querier.resolve(b.now, "a.local");
  b.answer("a.local", {"192.0.2.1", "0.0.0.0", "224.0.0.1", "fd00::1", "192.0.2.1"});
  CHECK(b.result() == std::vector<std::string>{"fd00::1", "192.0.2.1"});
  b.querier.resolve(b.now, "a.local");
  std::vector<std::string> many;
  for (int i = 1; i < 30; ++i) many.push_back("192.0.2." + std::to_string(i));
  b.answer("a.local", many);
  CHECK(b.result().size() == mdns::querier::max_addresses);
}

TEST_CASE("what does not answer a pending question is ignored") {
  bench b;
  b.answer("a.local", {"192.0.2.1"});  // out of the blue
  b.querier.resolve(b.now, "a.local");
  b.queries();
  b.answer("b.local", {"192.0.2.1"});
  b.answer("a.local", {"192.0.2.1"}, 0);                                               // goodbye
  b.answer("a.local", {"192.0.2.1"}, 120, {*base::ip_address::parse("1.2.3.4"), 99});  // port
  b.answer("a.local", {"192.0.2.1"}, 120, responder, false);                           // a query
  b.querier.handle_datagram(b.now, base::as_bytes("garbage"), responder);
  CHECK_FALSE(b.querier.poll_event());
  b.answer("a.local", {"192.0.2.2"});
  CHECK(b.result() == std::vector<std::string>{"192.0.2.2"});
}

TEST_CASE("a name wished for twice is asked for once and answered twice") {
  bench b;
  const auto first = b.querier.resolve(b.now, "a.local");
  const auto second = b.querier.resolve(b.now, "A.local.");
  CHECK(b.queries().size() == 2);
  b.answer("a.local", {"192.0.2.1"});
  CHECK(b.querier.poll_event()->id == first);
  CHECK(b.querier.poll_event()->id == second);
  CHECK_FALSE(b.querier.poll_event());
}

TEST_CASE("one message may answer several names") {
  bench b;
  b.querier.resolve(b.now, "a.local");
  b.querier.resolve(b.now, "b.local");
  mdns::message message;
  message.response = true;
  message.addresses.push_back({"b.local", *base::ip_address::parse("192.0.2.2"), 120, true});
  message.addresses.push_back({"a.local", *base::ip_address::parse("192.0.2.1"), 120, true});
  b.querier.handle_datagram(b.now, mdns::write_message(message), responder);
  CHECK(b.result() == std::vector<std::string>{"192.0.2.2"});
  CHECK(b.result() == std::vector<std::string>{"192.0.2.1"});
}

TEST_CASE("a cancelled wish is not answered, and the last one ends the asking") {
  bench b;
  const auto first = b.querier.resolve(b.now, "a.local");
  const auto second = b.querier.resolve(b.now, "a.local");
  b.queries();
  b.querier.cancel(first);
  CHECK_FALSE(b.querier.idle());
  b.answer("a.local", {"192.0.2.1"});
  b.querier.cancel(second);  // also when the answer is there
  CHECK_FALSE(b.querier.poll_event());
  CHECK(b.querier.idle());
  const auto third = b.querier.resolve(b.now, "a.local");
  b.queries();
  b.querier.cancel(third);
  CHECK(b.querier.idle());
}

TEST_CASE("names that cannot be resolved, and names beyond the bound, end at once") {
  bench b;
  b.querier.resolve(b.now, "example.org");
  CHECK(b.result().empty());
  b.querier.resolve(b.now, "a..local");
  CHECK(b.result().empty());
  CHECK(b.queries().empty());
  for (std::size_t i = 0; i < mdns::querier::max_names; ++i) {
    b.querier.resolve(b.now, "h" + std::to_string(i) + ".local");
  }
  CHECK_FALSE(b.querier.poll_event());
  b.querier.resolve(b.now, "one-more.local");
  CHECK(b.result().empty());
  for (std::size_t i = mdns::querier::max_names; i < mdns::querier::max_wishes; ++i) {
    b.querier.resolve(b.now, "h0.local");
  }
  CHECK_FALSE(b.querier.poll_event());
  b.querier.resolve(b.now, "h0.local");
  CHECK(b.result().empty());
}

TEST_CASE("a hundred thousand answers out of the blue leave nothing behind") {
  bench b;
  for (int i = 0; i < 50000; ++i) b.answer("n" + std::to_string(i) + ".local", {"192.0.2.66"});
  CHECK(b.querier.idle());
  b.querier.resolve(b.now, "wanted.local");
  b.queries();
  for (int i = 0; i < 50000; ++i) b.answer("n" + std::to_string(i) + ".local", {"192.0.2.66"});
  CHECK(b.queries().empty());
  CHECK_FALSE(b.querier.poll_event());
  CHECK(b.querier.next_deadline() == base::time_point(100ms));
  b.answer("wanted.local", {"192.0.2.1"});
  CHECK(b.result() == std::vector<std::string>{"192.0.2.1"});
  CHECK(b.querier.idle());
}
