// One TCP connection of ICE, on loopback.
#include "io/tcp_socket.hpp"
#include "net/io_support.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace asiortc;

namespace {

const auto loopback = *base::ip_address::parse("127.0.0.1");

struct joined {
  explicit joined(boost::asio::io_context& context)
      : strand(context.get_executor()),
        listener(strand, base::socket_id{2}, *io::listen_tcp(loopback, {}, 0)) {
    const base::route outward{base::socket_id{1}, listener.local()};
    near = std::make_unique<io::tcp_connection>(
        strand, *io::connect_tcp(loopback, listener.local()), outward);
    std::optional<base::endpoint> from;
    listener.async_wait_acceptable([&](boost::system::error_code) {
      auto accepted = listener.accept();
      REQUIRE(accepted.has_value());
      from = accepted->second;
      far = std::make_unique<io::tcp_connection>(strand, std::move(accepted->first),
                                                 base::route{listener.id(), *from});
    });
    REQUIRE(test::run_until(context, [&] { return far != nullptr; }));
  }

  /// What has come by now.
  std::vector<base::bytes> arrived(boost::asio::io_context& context) {
    bool readable = false;
    far->async_wait_readable([&](boost::system::error_code) { readable = true; });
    REQUIRE(test::run_until(context, [&] { return readable; }));
    std::vector<base::bytes> packets;
    auto progress = io::tcp_connection::progress::more;
    while (progress == io::tcp_connection::progress::more) {
      progress = far->receive();
      while (const auto packet = far->next()) packets.emplace_back(packet->begin(), packet->end());
    }
    ended = progress == io::tcp_connection::progress::ended;
    return packets;
  }

  io::guarded_strand::strand_type strand;
  io::tcp_end listener;
  std::unique_ptr<io::tcp_connection> near, far;
  bool ended = false;
};

base::bytes numbered(std::uint32_t number) {
  base::bytes packet(1200, 9);
  for (std::size_t i = 0; i < 4; ++i) packet[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return packet;
}

}  // namespace

TEST_CASE("a connection carries packets, and ends when the other side closes it") {
  boost::asio::io_context context;
  joined both(context);
  CHECK_FALSE(both.near->connect_error());
  both.near->append(numbered(1));
  both.near->append(numbered(2));
  both.near->write();
  CHECK_FALSE(both.near->blocked());
  CHECK(both.arrived(context) == std::vector<base::bytes>{numbered(1), numbered(2)});
  both.near->close();
  CHECK(both.arrived(context).empty());
  CHECK(both.ended);
}

TEST_CASE("what nobody reads is bounded: the newest packets are lost, and none in part") {
  boost::asio::io_context context;
  joined both(context);
  constexpr std::uint32_t count = 20000;
  for (std::uint32_t i = 0; i < count; ++i) {
    both.near->append(numbered(i));
    both.near->write();
  }
  CHECK(both.near->blocked());
  const auto lost = both.near->dropped();
  CHECK(lost > 0);
  std::vector<base::bytes> got;
  while (got.size() + lost < count) {
    for (auto& packet : both.arrived(context)) got.push_back(std::move(packet));
    both.near->write();
  }
  CHECK(got.size() + lost == count);
  // The kernel may have made room in between, so the lost ones are not all at the end.
  std::uint32_t next = 0;
  for (const auto& packet : got) {
    while (next < count && packet != numbered(next)) ++next;
    REQUIRE(next++ < count);
  }
  CHECK(got[800] == numbered(800));  // the first of them all fitted
}

TEST_CASE("a frame larger than any packet of ours breaks the connection at its header") {
  boost::asio::io_context context;
  joined both(context);
  both.near->append(base::bytes(io::tcp_connection::largest_packet, 1));
  both.near->append(base::bytes(io::tcp_connection::largest_packet + 1, 1));
  both.near->write();
  CHECK(both.arrived(context).size() == 1);
  CHECK(both.far->broken());
}

TEST_CASE("a connection that is refused says so") {
  boost::asio::io_context context;
  const io::guarded_strand::strand_type strand(context.get_executor());
  base::endpoint nobody;
  {
    const auto listened = io::listen_tcp(loopback, {}, 0);
    REQUIRE(listened.has_value());
    nobody = listened->local;
  }
  auto fd = io::connect_tcp(loopback, nobody);
  if (!fd) return;  // the kernel may tell at once
  io::tcp_connection connection(strand, std::move(*fd), {base::socket_id{1}, nobody});
  bool done = false;
  connection.async_wait_writable([&](boost::system::error_code) { done = true; });
  REQUIRE(test::run_until(context, [&] { return done; }));
  CHECK(connection.connect_error() == boost::system::errc::connection_refused);
}
