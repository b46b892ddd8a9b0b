// mDNS over real multicast, with others on the link played by this process.
#include "io/interfaces.hpp"
#include "io/mdns_service.hpp"
#include "net/io_responder.hpp"
#include "net/io_support.hpp"
#include "support/process_counts.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace asiortc;
namespace asio = boost::asio;

namespace {

using addresses = std::vector<base::ip_address>;

/// Another host on the link: sends what it likes, and hears the answers that are multicast.
class neighbour {
 public:
  explicit neighbour(asio::io_context& context)
      : socket_(*io::open_multicast_socket(io::ip_family::v4)),
        descriptor_(context, socket_.fd.release()) {
    listen();
  }

  void send(base::byte_span data) {
    io::send_to_group(descriptor_.native_handle(), io::ip_family::v4, socket_.interfaces, data);
  }
  void ask(const std::string& name, mdns::record_type type = mdns::record_type::a) {
    mdns::message query;
    query.questions.push_back({name, type, false});
    send(mdns::write_message(query));
  }
  void tell(const std::string& name, std::string_view address) {
    mdns::message answer;
    answer.response = true;
    answer.addresses.push_back({name, *base::ip_address::parse(address), 120, true});
    send(mdns::write_message(answer));
  }

  /// Records that were told of the name.
  std::vector<mdns::address_record> heard(const std::string& name) const {
    std::vector<mdns::address_record> found;
    for (const auto& record : heard_) {
      if (record.name == name) found.push_back(record);
    }
    return found;
  }

 private:
  void listen() {
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [this](boost::system::error_code error) {
                             if (error) return;
                             receive();
                             listen();
                           });
  }

  void receive() {
    std::array<std::uint8_t, mdns::max_message_size> buffer;
    while (const auto datagram = io::receive_from_group(descriptor_.native_handle(), buffer)) {
      const auto message = mdns::parse_message(datagram->bytes);
      if (!message || !message->response) continue;
      heard_.insert(heard_.end(), message->addresses.begin(), message->addresses.end());
    }
  }

  io::multicast_socket socket_;
  asio::posix::stream_descriptor descriptor_;
  std::vector<mdns::address_record> heard_;
};

/// What a peer would use.
base::ip_address own_address() {
  return io::select_addresses(io::list_system_addresses(), {}, io::find_default_addresses())
      .at(0)
      .address;
}

std::optional<addresses> look_up(asio::io_context& context, io::mdns_service& service,
                                 const std::string& name) {
  std::optional<addresses> found;
  service.resolve(name, [&](addresses list) { found = std::move(list); });
  test::run_until(context, [&] { return found.has_value(); });
  return found;
}

}  // namespace

TEST_CASE("a name is resolved by multicast, and the sockets close when nothing is asked") {
  asio::io_context context;
  test::responder answering(context, "shell-test-1.local", "192.0.2.33");
  const auto resolver = io::mdns_service::create(context.get_executor());
  context.poll();
  const auto descriptors = test::open_descriptors();
  std::optional<addresses> first, second;
  resolver->resolve("Shell-Test-1.local", [&](addresses found) { first = std::move(found); });
  resolver->resolve("shell-test-1.local", [&](addresses found) { second = std::move(found); });
  REQUIRE(test::run_until(context, [&] { return first && second; }));
  CHECK(*first == addresses{*base::ip_address::parse("192.0.2.33")});
  CHECK(*second == *first);
  CHECK(answering.queries() >= 1);
  context.poll();
  CHECK(test::open_descriptors() == descriptors);
  CHECK(test::running_threads() == 1);
}

TEST_CASE("cancelling the last wish closes the sockets, and nothing keeps the context running") {
  asio::io_context context;
  const auto resolver = io::mdns_service::create(context.get_executor());
  bool called = false;
  const auto token = resolver->resolve("nobody-there.local", [&](addresses) { called = true; });
  context.poll();
  const auto open = test::open_descriptors();
  resolver->cancel(token);
  context.restart();
  context.run();
  CHECK_FALSE(called);
  CHECK(test::open_descriptors() < open);
}

TEST_CASE("a name that is refused gives no address, without a socket") {
  asio::io_context context;
  const auto resolver = io::mdns_service::create(context.get_executor());
  std::optional<addresses> found;
  resolver->resolve("example.org", [&](addresses list) { found = std::move(list); });
  context.run();
  REQUIRE(found);
  CHECK(found->empty());
}

TEST_CASE("the context may be destroyed first, at any step") {
  const auto descriptors = test::open_descriptors();
  for (int steps = 0; steps < 6; ++steps) {
    std::shared_ptr<io::mdns_service> resolver;
    auto token = std::make_shared<int>(0);
    {
      asio::io_context context;
      test::responder answering(context, "shell-test-2.local", "192.0.2.33");
      resolver = io::mdns_service::create(context.get_executor());
      resolver->resolve("shell-test-2.local", [token, resolver](addresses) {});
      for (int i = 0; i < steps; ++i) context.poll_one();
    }
    CHECK(token.use_count() == 1);
    resolver->resolve("shell-test-2.local", [](addresses) { FAIL("called after the end"); });
    resolver->cancel(1);
  }
  CHECK(test::open_descriptors() == descriptors);
}

TEST_CASE("what is hidden is found by its name, for as long as somebody holds that") {
  asio::io_context context;
  const asio::steady_timer opens_the_reactor(context);
  const auto owner = io::mdns_service::create(context.get_executor());
  const auto seeker = io::mdns_service::create(context.get_executor());
  const auto own = own_address();
  const auto descriptors = test::open_descriptors();
  auto name = owner->hide(own);
  auto same = owner->hide(own);
  CHECK(name == same);
  CHECK(look_up(context, *seeker, *name) == addresses{own});
  CHECK(look_up(context, *owner, *name) == addresses{own});
  const std::string known = *name;
  name.reset();
  CHECK(look_up(context, *seeker, known) == addresses{own});
  same.reset();
  context.restart();
  context.run();
  CHECK(test::open_descriptors() == descriptors);
  CHECK(*owner->hide(own) != known);
}

TEST_CASE("a name that ends says goodbye on its link") {
  asio::io_context context;
  const auto owner = io::mdns_service::create(context.get_executor());
  neighbour other(context);
  const auto own = own_address();
  auto name = owner->hide(own);
  const std::string known = *name;
  context.poll();
  other.ask(known);
  REQUIRE(test::run_until(context, [&] { return !other.heard(known).empty(); }));
  CHECK(other.heard(known).front().ttl == 120);
  name.reset();
  CHECK(test::run_until(context, [&] { return other.heard(known).back().ttl == 0; }));
}

TEST_CASE("a flood of questions gives an answer a second on each link, and garbage none") {
  asio::io_context context;
  const auto owner = io::mdns_service::create(context.get_executor());
  neighbour other(context);
  const auto own = own_address();
  const auto hidden = owner->hide(own);
  const auto stranger = io::mdns_service::create(context.get_executor())->hide(own);
  context.poll();
  const auto began = std::chrono::steady_clock::now();
  mdns::message query;
  query.questions.push_back({*hidden, mdns::record_type::a, false});
  auto data = mdns::write_message(query);
  int rounds = 0;
  for (; std::chrono::steady_clock::now() - began < std::chrono::milliseconds(300); ++rounds) {
    other.send(data);
    other.send(base::byte_span(data).first(static_cast<std::size_t>(rounds) % data.size()));
    other.ask("not-ours-" + std::to_string(rounds) + ".local");
    context.poll();
  }
  // The one that had to wait is the proof that all was read.
  REQUIRE(test::run_until(context, [&] { return other.heard(*hidden).size() >= 2; }));
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began);
  CHECK(static_cast<double>(other.heard(*hidden).size()) <= seconds.count() + 2);
  CHECK(other.heard(*stranger).empty());
  CHECK(rounds > 100);
  for (int i = 0; i < rounds; ++i) {
    CHECK(other.heard("not-ours-" + std::to_string(i) + ".local").empty());
  }
}

TEST_CASE("answers out of the blue change nothing") {
  asio::io_context context;
  const auto service = io::mdns_service::create(context.get_executor());
  test::responder answering(context, "wanted.local", "192.0.2.33");
  neighbour other(context);
  const auto own = own_address();
  const auto hidden = service->hide(own);
  std::optional<addresses> found, never;
  const auto token = service->resolve("never.local", [&](addresses list) { never = list; });
  context.poll();
  for (int i = 0; i < 2000; ++i) {
    other.tell("nobody-asked-" + std::to_string(i) + ".local", "192.0.2.66");
    other.tell(*hidden, "192.0.2.66");
    context.poll();
  }
  CHECK_FALSE(never);
  CHECK(look_up(context, *service, "wanted.local") ==
        addresses{*base::ip_address::parse("192.0.2.33")});
  CHECK_FALSE(never);
  service->cancel(token);
  // Who claims our name does not take it from us. After such a flood a question may be dropped.
  bool kept = false;
  bool due = false;
  asio::steady_timer again(context);
  for (int question = 0; question < 10 && !kept; ++question) {
    other.ask(*hidden);
    due = false;
    again.expires_after(std::chrono::seconds(1));
    again.async_wait([&due](boost::system::error_code cancelled) { due = !cancelled; });
    test::run_until(context, [&] {
      const auto told = other.heard(*hidden);
      kept = kept || std::any_of(told.begin(), told.end(),
                                 [&](const auto& record) { return record.address == own; });
      return kept || due;
    });
  }
  CHECK(kept);
}

TEST_CASE("a name may be let go of when its context is gone") {
  const auto descriptors = test::open_descriptors();
  const auto own = own_address();
  for (int steps = 0; steps < 4; ++steps) {
    io::mdns_service::held_name name;
    {
      asio::io_context context;
      const auto owner = io::mdns_service::create(context.get_executor());
      name = owner->hide(own);
      for (int i = 0; i < steps; ++i) context.poll_one();
    }
    CHECK(mdns::is_local_name(*name));
  }
  CHECK(test::open_descriptors() == descriptors);
}
