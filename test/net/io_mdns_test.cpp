// mDNS over real multicast on loopback, with a responder in this process.
#include "io/mdns_resolver.hpp"
#include "net/io_responder.hpp"
#include "net/io_support.hpp"
#include "support/process_counts.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <optional>

using namespace asiortc;
namespace asio = boost::asio;

namespace {

using addresses = std::vector<base::ip_address>;

}  // namespace

TEST_CASE("a name is resolved by multicast, and the sockets close when nothing is asked") {
  asio::io_context context;
  test::responder answering(context, "shell-test-1.local", "192.0.2.33");
  const auto resolver = io::mdns_resolver::create(context.get_executor());
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
  const auto resolver = io::mdns_resolver::create(context.get_executor());
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
  const auto resolver = io::mdns_resolver::create(context.get_executor());
  std::optional<addresses> found;
  resolver->resolve("example.org", [&](addresses list) { found = std::move(list); });
  context.run();
  REQUIRE(found);
  CHECK(found->empty());
}

TEST_CASE("the context may be destroyed first, at any step") {
  const auto descriptors = test::open_descriptors();
  for (int steps = 0; steps < 6; ++steps) {
    std::shared_ptr<io::mdns_resolver> resolver;
    auto token = std::make_shared<int>(0);
    {
      asio::io_context context;
      test::responder answering(context, "shell-test-2.local", "192.0.2.33");
      resolver = io::mdns_resolver::create(context.get_executor());
      resolver->resolve("shell-test-2.local", [token, resolver](addresses) {});
      for (int i = 0; i < steps; ++i) context.poll_one();
    }
    CHECK(token.use_count() == 1);
    resolver->resolve("shell-test-2.local", [](addresses) { FAIL("called after the end"); });
    resolver->cancel(1);
  }
  CHECK(test::open_descriptors() == descriptors);
}
