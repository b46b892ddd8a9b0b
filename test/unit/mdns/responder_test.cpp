#include "mdns/responder.hpp"

#include "support/seeded_random.hpp"

#include <doctest/doctest.h>

#include <set>
#include <vector>

using namespace asiortc;
using namespace std::chrono_literals;
using mdns::record_type;

namespace {

const base::endpoint asker{*base::ip_address::parse("192.0.2.1"), mdns::port};
const base::endpoint plain_client{*base::ip_address::parse("192.0.2.1"), 40000};
const auto hidden_v4 = *base::ip_address::parse("192.0.2.7");
const auto hidden_v6 = *base::ip_address::parse("2001:db8::7");
constexpr unsigned lan = 3;

/// A responder in hand-set time.
struct responder_bench {
  mdns::responder responder;
  base::time_point now{1h};

  responder_bench() { responder.add("own.local", hidden_v4, lan); }

  void ask(const mdns::message& query, const base::endpoint& from = asker, unsigned over = lan,
           bool on_link = true) {
    responder.handle_datagram(now, mdns::write_message(query), from, over, on_link);
  }
  void ask(std::string name, record_type type = record_type::a, bool unicast = false,
           const base::endpoint& from = asker) {
    mdns::message query;
    query.id = 77;
    query.questions.push_back({std::move(name), type, unicast});
    ask(query, from);
  }

  std::vector<mdns::response> sent() {
    std::vector<mdns::response> all;
    while (auto next = responder.poll_transmit()) all.push_back(std::move(*next));
    return all;
  }
  std::size_t count() { return sent().size(); }
};

mdns::message read(const mdns::response& response) {
  const auto message = mdns::parse_message(response.bytes);
  REQUIRE(message);
  CHECK(message->response);
  return *message;
}

}  // namespace

TEST_CASE("a random name is a version 4 UUID under .local, and no two are the same") {
  test::seeded_random random(1);
  std::set<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    const auto name = mdns::make_random_name(random);
    REQUIRE(name.size() == 36 + 6);
    CHECK(mdns::valid_name(name));
    CHECK(mdns::is_local_name(name));
    CHECK(name[8] == '-');
    CHECK(name[14] == '4');
    CHECK(std::string_view("89ab").find(name[19]) != std::string_view::npos);
    names.insert(name);
  }
  CHECK(names.size() == 1000);
}

TEST_CASE("a question for our name is answered at once, by multicast on its link") {
  responder_bench b;
  b.ask("OWN.local.");
  b.ask("OWN.local");
  const auto sent = b.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].interface == lan);
  CHECK_FALSE(sent[0].to);
  const auto message = read(sent[0]);
  CHECK(message.id == 0);  // RFC 6762 18.1
  CHECK(message.questions.empty());
  CHECK(message.addresses ==
        std::vector<mdns::address_record>{{"own.local", hidden_v4, 120, true}});
}

TEST_CASE("an answer says that there is no address of the other family") {
  responder_bench b;
  b.responder.add("six.local", hidden_v6, lan);
  // RFC 6762 6.1 and RFC 4034 4: the type, the class with the cache-flush bit, the TTL, the length,
  // the name itself, block 0 of the bitmap.
  const auto ends_with = [](const base::bytes& data, std::string_view tail) {
    return base::as_text(data).ends_with(tail);
  };
  using namespace std::string_view_literals;
  SUBCASE("IPv4") {
    b.ask("own.local", record_type::aaaa);
    CHECK(ends_with(b.sent().at(0).bytes, "\xc0\x0c\0\x2f\x80\1\0\0\0\x78\0\5\xc0\x0c\0\1\x40"sv));
  }
  SUBCASE("IPv6") {
    b.ask("six.local", record_type::a);
    CHECK(ends_with(b.sent().at(0).bytes,
                    "\xc0\x0c\0\x2f\x80\1\0\0\0\x78\0\x08\xc0\x0c\0\4\0\0\0\x08"sv));
  }
}

TEST_CASE("what is no question for one of our names is not answered") {
  responder_bench b;
  b.ask("other.local");
  b.ask("own.local.example.org");
  mdns::message answer;
  answer.response = true;
  answer.questions.push_back({"own.local", record_type::a, false});
  answer.addresses.push_back({"own.local", hidden_v6, 120, true});  // it is not: ours stays
  b.ask(answer);
  mdns::message query;
  query.questions.push_back({"own.local", record_type::a, false});
  b.ask(query, asker, lan + 1);  // RFC 6762 6.2: not valid on that link
  auto data = mdns::write_message(query);
  for (std::size_t size = 0; size < data.size(); ++size) {
    b.responder.handle_datagram(b.now, base::byte_span(data).first(size), asker, lan, true);
  }
  data[2] |= 0x08;  // RFC 6762 18.3: an opcode other than zero
  b.responder.handle_datagram(b.now, data, asker, lan, true);
  b.responder.handle_datagram(b.now, base::as_bytes("garbage"), asker, lan, true);
  data = mdns::write_message(query);
  data[data.size() - 3] = 16;  // a TXT record
  b.responder.handle_datagram(b.now, data, asker, lan, true);
  CHECK(b.count() == 0);
  b.ask(query);
  CHECK(b.count() == 1);
}

TEST_CASE("a name whose interface is not known is answered for on all") {
  responder_bench b;
  b.responder.add("anywhere.local", hidden_v4, 0);
  mdns::message query;
  query.questions.push_back({"anywhere.local", record_type::any, false});
  b.ask(query, asker, 9);
  const auto sent = b.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].interface == 0);
}

TEST_CASE("an answer is multicast once a second at most, whatever is asked") {
  responder_bench b;
  b.ask("own.local");
  CHECK(b.count() == 1);
  b.now += 49ms;  // crossed the answer on its way
  b.ask("own.local", record_type::aaaa);
  CHECK(b.count() == 0);
  CHECK(b.responder.next_deadline() == base::never);
  const auto first = b.now - 49ms;
  while (b.now < first + 999ms) {
    b.now += 10ms;
    for (int i = 0; i < 100; ++i) b.ask("own.local");
    b.responder.handle_timeout(b.now);
    CHECK(b.count() == 0);
    CHECK(b.responder.next_deadline() == first + 1s);
    if (b.now + 10ms > first + 999ms) break;
  }
  b.responder.handle_timeout(first + 1s - 1us);
  CHECK(b.count() == 0);
  b.responder.handle_timeout(first + 1s);
  CHECK(b.count() == 1);
  CHECK(b.responder.next_deadline() == base::never);
}

TEST_CASE("a hundred thousand questions in ten seconds are answered ten times a name") {
  responder_bench b;
  b.responder.add("second.local", hidden_v6, lan);
  std::size_t answers = 0;
  for (int i = 0; i < 100000; ++i) {
    if (b.responder.next_deadline() <= b.now) b.responder.handle_timeout(b.now);
    b.ask(i % 2 == 0 ? "own.local" : "second.local");
    answers += b.count();
    b.now += 100us;
  }
  CHECK(answers == 20);
}

TEST_CASE("a host that wants the answer for itself gets it so, if the link has had it lately") {
  responder_bench b;
  b.ask("own.local", record_type::a, true);
  REQUIRE(b.sent().size() == 1);  // RFC 6762 5.4: the first one is for all
  b.now += 29s;
  b.ask("own.local", record_type::a, true);
  auto sent = b.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == asker);
  const auto message = read(sent[0]);
  CHECK(message.id == 0);
  CHECK(message.addresses.at(0).cache_flush);
  b.now += 1s;
  b.ask("own.local", record_type::a, true);
  sent = b.sent();
  REQUIRE(sent.size() == 1);
  CHECK_FALSE(sent[0].to);
}

TEST_CASE("a plain DNS client gets its answer as RFC 6762 6.7 has it") {
  responder_bench b;
  b.ask("own.local", record_type::aaaa, false, plain_client);
  CHECK(b.count() == 0);
  b.ask("own.local", record_type::a, false, plain_client);
  const auto sent = b.sent();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].to == plain_client);
  const auto message = read(sent[0]);
  CHECK(message.id == 77);
  CHECK(message.questions == std::vector<mdns::question>{{"own.local", record_type::a, false}});
  CHECK(message.addresses ==
        std::vector<mdns::address_record>{{"own.local", hidden_v4, 10, false}});
}

TEST_CASE("no answer to a single host leaves the link") {
  responder_bench b;
  mdns::message query;
  query.questions.push_back({"own.local", record_type::a, true});
  b.ask("own.local");
  b.sent();
  b.now += 2s;
  b.ask(query, plain_client, lan, false);
  CHECK(b.count() == 0);
  b.ask(query, asker, lan, false);
  const auto sent = b.sent();
  REQUIRE(sent.size() == 1);
  CHECK_FALSE(sent[0].to);
}

TEST_CASE("answers to single hosts are bounded for each name and second") {
  responder_bench b;
  mdns::message query;
  for (int i = 0; i < 1000; ++i) query.questions.push_back({"own.local", record_type::a, true});
  for (const auto& from : {asker, plain_client}) {
    b.ask("own.local");
    b.sent();
    b.now += 2s;
    for (int i = 0; i < 10; ++i) b.ask(query, from);
    CHECK(b.count() == mdns::responder::max_unicasts);
    b.now += 999ms;
    b.ask(query, from);
    CHECK(b.count() == 0);
    b.now += 1ms;
    b.ask(query, from);
    CHECK(b.count() == mdns::responder::max_unicasts);
    b.now += 2s;
  }
}

TEST_CASE("who knows the answer is not told again") {
  responder_bench b;
  mdns::message query;
  query.questions.push_back({"own.local", record_type::a, false});
  query.addresses.push_back({"own.local", hidden_v4, 60, false});
  b.ask(query);
  CHECK(b.count() == 0);
  query.addresses[0].ttl = 59;  // RFC 6762 7.1: less than half
  b.ask(query);
  CHECK(b.count() == 1);
  b.now += 1s;
  query.addresses[0].ttl = 120;
  query.addresses[0].address = hidden_v6;
  b.ask(query);
  CHECK(b.count() == 1);
}

TEST_CASE("a name that ends says goodbye where it was told, and is not answered for") {
  responder_bench b;
  b.responder.add("untold.local", hidden_v6, lan);
  b.responder.remove(b.now, "untold.local");
  b.responder.remove(b.now, "never-there.local");
  CHECK(b.count() == 0);
  b.ask("own.local");
  b.sent();
  b.now += 500ms;
  b.ask("own.local");
  b.responder.remove(b.now, "own.local");
  CHECK_FALSE(b.responder.idle());
  const auto sent = b.sent();
  REQUIRE(sent.size() == 1);
  CHECK_FALSE(sent[0].to);
  CHECK(sent[0].interface == lan);
  CHECK(read(sent[0]).addresses ==
        std::vector<mdns::address_record>{{"own.local", hidden_v4, 0, true}});
  CHECK(b.responder.idle());
  CHECK(b.responder.next_deadline() == base::never);
  b.ask("own.local");
  CHECK(b.count() == 0);
}

TEST_CASE("a goodbye is not said to nobody, when all have forgotten the name") {
  responder_bench b;
  b.ask("own.local");
  b.sent();
  b.now += 120s;
  b.responder.remove(b.now, "own.local");
  CHECK(b.count() == 0);
}
