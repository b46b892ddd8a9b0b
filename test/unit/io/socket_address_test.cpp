#include "io/socket_address.hpp"

#include <doctest/doctest.h>

using namespace asiortc;
using io::socket_address;

TEST_CASE("an endpoint survives the way through the kernel's form") {
  for (const auto* text : {"192.0.2.1:5", "[2001:db8::1]:65535", "0.0.0.0:0", "[::]:0"}) {
    CAPTURE(text);
    const auto endpoint = base::endpoint::parse(text);
    REQUIRE(endpoint);
    CHECK(socket_address(*endpoint).to_endpoint() == *endpoint);
  }
}

TEST_CASE("the scope of a link-local address is kept") {
  const base::endpoint scoped(*base::ip_address::parse("fe80::1%7"), 9);
  const socket_address address(scoped);
  CHECK(address.size() == sizeof(sockaddr_in6));
  CHECK(address.to_endpoint().address.scope_id() == 7);
}

TEST_CASE("other families and nothing at all give no address") {
  sockaddr other{};
  other.sa_family = AF_UNIX;
  CHECK_FALSE(socket_address::from(&other));
  CHECK_FALSE(socket_address::from(nullptr));
  CHECK(socket_address().to_endpoint() == base::endpoint());
}
