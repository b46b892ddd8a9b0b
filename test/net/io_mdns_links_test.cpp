// Answers by unicast, from the link and from afar (RFC 6762 11), in a network namespace of this
// process's own.
#include "io/mdns_service.hpp"
#include "io/socket_address.hpp"
#include "io/socket_options.hpp"
#include "mdns/message.hpp"
#include "net/io_support.hpp"
#include "net/own_network.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace asiortc::test {
namespace {

/// Sends to us alone from port 5353 of an address that need not be one of this machine.
class stranger {
 public:
  explicit stranger(const std::string& address)
      : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    REQUIRE(io::set_option(fd_.get(), IPPROTO_IP, IP_TRANSPARENT, 1));
    REQUIRE(io::set_option(fd_.get(), SOL_SOCKET, SO_REUSEADDR, 1));
    const io::socket_address own({*base::ip_address::parse(address), mdns::port});
    REQUIRE(::bind(fd_.get(), own.data(), own.size()) == 0);
  }

  void tell(const std::string& name, std::string_view address) {
    mdns::message answer;
    answer.response = true;
    answer.addresses.push_back({name, *base::ip_address::parse(address), 120, true});
    io::send_to_host(fd_.get(), {*base::ip_address::parse("127.0.0.1"), mdns::port},
                     mdns::write_message(answer));
  }

 private:
  io::unique_fd fd_;
};

}  // namespace

TEST_CASE("an answer to us alone is believed if it comes from the link, and from nowhere else") {
  const own_network network;
  boost::asio::io_context context;
  const auto service = io::mdns_service::create(context.get_executor());
  stranger far_off("198.51.100.7");
  stranger near("127.0.0.9");
  std::optional<std::vector<base::ip_address>> found;
  service->resolve("asked.local", [&](auto list) { found = std::move(list); });
  context.poll();
  far_off.tell("asked.local", "192.0.2.66");
  REQUIRE(run_until(context, [&] { return found || service->off_link() == 1; }));
  CHECK_FALSE(found);
  near.tell("asked.local", "192.0.2.33");
  REQUIRE(run_until(context, [&] { return found.has_value(); }));
  CHECK(*found == std::vector{*base::ip_address::parse("192.0.2.33")});
  CHECK(service->off_link() == 1);
}

}  // namespace asiortc::test
