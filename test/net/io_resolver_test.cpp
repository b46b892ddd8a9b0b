// The resolver over c-ares: the hosts file, and a DNS server in this process.
#include "base/bytes.hpp"
#include "io/cares_resolver.hpp"
#include "io/socket_address.hpp"
#include "io/udp_options.hpp"
#include "net/io_support.hpp"
#include "support/process_counts.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <optional>

using namespace asiortc;
namespace asio = boost::asio;

namespace {

/// Answers A and AAAA of `stun.test` and says of every other name that it does not exist.
class dns_server {
 public:
  explicit dns_server(asio::io_context& context)
      : bound_(*io::open_udp(*base::ip_address::parse("127.0.0.1"), {}, 0)),
        local_(bound_.local),
        descriptor_(context, bound_.fd.release()) {
    serve();
  }

  [[nodiscard]] const base::endpoint& address() const { return local_; }
  void be_silent() { silent_ = true; }
  [[nodiscard]] int queries() const { return queries_; }

 private:
  void serve() {
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [this](boost::system::error_code error) {
                             if (error) return;
                             answer();
                             serve();
                           });
  }

  void answer() {
    std::array<std::uint8_t, 512> buffer{};
    io::socket_address from;
    socklen_t size = io::socket_address::capacity();
    const auto length = ::recvfrom(descriptor_.native_handle(), buffer.data(), buffer.size(),
                                   MSG_DONTWAIT, from.data(), &size);
    if (length < 12) return;
    ++queries_;
    if (silent_) return;
    // The question follows the header: labels, a zero, type and class.
    const base::byte_span query(buffer.data(), static_cast<std::size_t>(length));
    std::size_t end = 12;
    std::string name;
    while (query[end] != 0) {
      name += std::string(base::as_text(query.subspan(end + 1, query[end]))) + ".";
      end += 1u + query[end];
    }
    end += 5;
    const bool v6 = query[end - 3] == 28;
    const bool known = name == "stun.test.";
    base::bytes reply;
    base::byte_writer out(reply);
    out.append(query.first(2));
    out.u16(known ? 0x8180 : 0x8183);
    out.u16(1);
    out.u16(known ? 1 : 0);
    out.u32(0);
    out.append(query.subspan(12, end - 12));
    if (known) {
      out.u16(0xc00c);
      out.u16(v6 ? 28 : 1);
      out.u16(1);
      out.u32(60);
      out.u16(v6 ? 16 : 4);
      const auto address = *base::ip_address::parse(v6 ? "2001:db8::5" : "192.0.2.5");
      out.append(address.octets());
    }
    ::sendto(descriptor_.native_handle(), reply.data(), reply.size(), 0, from.data(), from.size());
  }

  io::bound_socket bound_;
  base::endpoint local_;
  asio::posix::stream_descriptor descriptor_;
  bool silent_ = false;
  int queries_ = 0;
};

struct answer {
  boost::system::error_code error;
  std::vector<std::string> addresses;
};

struct bench {
  asio::io_context context;
  std::optional<answer> got;

  auto handler() {
    return [this](boost::system::error_code error, std::vector<asio::ip::address> addresses) {
      got.emplace().error = error;
      for (const auto& address : addresses) got->addresses.push_back(address.to_string());
    };
  }

  answer resolve(name_resolver& resolver, std::string host) {
    got.reset();
    resolver.async_resolve(std::move(host), handler());
    REQUIRE_FALSE(got);  // never from inside
    REQUIRE(test::run_until(context, [&] { return got.has_value(); }));
    return *got;
  }
};

io::cares_options served_by(const dns_server& server) {
  io::cares_options options;
  options.servers = {server.address()};
  options.timeout = std::chrono::milliseconds(300);
  options.tries = 1;
  return options;
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("literals need no query and no descriptor, and no thread is started") {
  bench b;
  const auto resolver = make_name_resolver(b.context.get_executor());
  const auto descriptors = test::open_descriptors();
  CHECK(b.resolve(*resolver, "192.0.2.1").addresses == strings{"192.0.2.1"});
  CHECK(b.resolve(*resolver, "2001:db8::1").addresses == strings{"2001:db8::1"});
  CHECK(test::open_descriptors() == descriptors);
  CHECK(test::running_threads() == 1);
}

TEST_CASE("localhost resolves from the hosts file, without a server") {
  bench b;
  const auto resolver = make_name_resolver(b.context.get_executor());
  const auto local = b.resolve(*resolver, "localhost");
  CHECK_FALSE(local.error);
  REQUIRE_FALSE(local.addresses.empty());
  for (const auto& address : local.addresses) CHECK(asio::ip::make_address(address).is_loopback());
  CHECK(test::running_threads() == 1);
}

TEST_CASE("a name resolves over DNS, and all that was opened is closed again") {
  bench b;
  dns_server server(b.context);
  const auto resolver = io::make_cares_resolver(b.context.get_executor(), served_by(server));
  b.context.poll();
  const auto descriptors = test::open_descriptors();
  for (int i = 0; i < 3; ++i) {
    auto found = b.resolve(*resolver, "stun.test");
    CHECK_FALSE(found.error);
    std::sort(found.addresses.begin(), found.addresses.end());
    CHECK(found.addresses == strings{"192.0.2.5", "2001:db8::5"});
    b.context.poll();
    CHECK(test::open_descriptors() == descriptors);
  }
}

TEST_CASE("a name that does not exist and a server that is silent give different errors") {
  bench b;
  dns_server server(b.context);
  const auto resolver = io::make_cares_resolver(b.context.get_executor(), served_by(server));
  CHECK(b.resolve(*resolver, "nothing.test").error == asio::error::host_not_found);
  server.be_silent();
  CHECK(b.resolve(*resolver, "stun.test").error == asio::error::host_not_found_try_again);
}

TEST_CASE("a cancelled operation completes at once, and the others go on") {
  bench b;
  dns_server server(b.context);
  server.be_silent();
  auto options = served_by(server);
  options.timeout = std::chrono::milliseconds(60000);
  const auto resolver = io::make_cares_resolver(b.context.get_executor(), options);
  b.context.poll();
  const auto descriptors = test::open_descriptors();
  asio::cancellation_signal signal;
  std::optional<boost::system::error_code> first, second;
  resolver->async_resolve(
      "stun.test",
      asio::bind_cancellation_slot(signal.slot(), [&](auto error, auto) { first = error; }));
  resolver->async_resolve("stun.test", [&](auto error, auto) { second = error; });
  REQUIRE(test::run_until(b.context, [&] { return server.queries() >= 2; }));
  signal.emit(asio::cancellation_type::terminal);
  REQUIRE(test::run_until(b.context, [&] { return first.has_value(); }));
  CHECK(*first == asio::error::operation_aborted);
  CHECK_FALSE(second);
  CHECK(test::open_descriptors() > descriptors);
  resolver->cancel();
  REQUIRE(test::run_until(b.context, [&] { return second.has_value(); }));
  CHECK(*second == asio::error::operation_aborted);
  b.context.poll();
  CHECK(test::open_descriptors() == descriptors);
}

TEST_CASE("a resolver that is dropped aborts what is pending, and the context runs out of work") {
  bench b;
  {
    io::cares_options options;
    options.servers = {{*base::ip_address::parse("127.0.0.1"), 9}};
    auto resolver = io::make_cares_resolver(b.context.get_executor(), options);
    resolver->async_resolve("stun.test", b.handler());
  }
  b.context.run();
  REQUIRE(b.got);
  CHECK(b.got->error == asio::error::operation_aborted);
}

TEST_CASE("the context may be destroyed first, at any step") {
  const auto descriptors = test::open_descriptors();
  for (int steps = 0; steps < 12; ++steps) {
    std::shared_ptr<name_resolver> resolver;
    auto token = std::make_shared<int>(0);
    {
      asio::io_context context;
      dns_server server(context);
      resolver = io::make_cares_resolver(context.get_executor(), served_by(server));
      resolver->async_resolve("stun.test", [token, resolver](auto, auto) {});
      resolver->async_resolve("192.0.2.1", [token, resolver](auto, auto) {});
      for (int i = 0; i < steps; ++i) context.poll_one();
    }
    CHECK(token.use_count() == 1);  // no handler is left
    resolver->async_resolve("stun.test", [token](auto, auto) { FAIL("completed after the end"); });
    resolver->cancel();
  }
  CHECK(test::open_descriptors() == descriptors);
}

TEST_CASE("too many look-ups at once are refused, not queued") {
  bench b;
  dns_server server(b.context);
  server.be_silent();
  const auto resolver = io::make_cares_resolver(b.context.get_executor(), served_by(server));
  int refused = 0, done = 0;
  for (std::size_t i = 0; i < io::max_pending_lookups + 5; ++i) {
    resolver->async_resolve("stun.test", [&](auto error, auto) {
      ++done;
      refused += error == asio::error::host_not_found_try_again ? 1 : 0;
    });
  }
  REQUIRE(test::run_until(b.context, [&] { return done >= 5; }));
  CHECK(refused >= 5);
  resolver->cancel();
  REQUIRE(test::run_until(b.context,
                          [&] { return done == static_cast<int>(io::max_pending_lookups) + 5; }));
}
