// Packets to one, to all, to all but one, in the three ways.
#include "net/mesh_support.hpp"

#include <asiortc/detail/event_queue.hpp>

#include <algorithm>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

const auto as_code = asio::as_tuple(asio::use_awaitable);

/// The peers 1, 2 and 3, each linked to each.
struct triangle {
  explicit triangle(asio::any_io_executor executor, mesh_options options = mesh_options(),
                    configuration config = configuration())
      : first(executor, 1, options, config),
        second(executor, 2, options, config),
        third(executor, 3, options, config) {
    link(first, second);
    link(first, third);
    link(second, third);
  }

  asio::awaitable<void> open() {
    co_await expect_both_connected(first.net, 2, 3);
    co_await expect_both_connected(second.net, 1, 3);
    co_await expect_both_connected(third.net, 1, 2);
  }
  asio::awaitable<void> close() {
    co_await first.net.async_close();
    co_await second.net.async_close();
    co_await third.net.async_close();
  }

  mesh_node first;
  mesh_node second;
  mesh_node third;
};

asio::awaitable<void> send_each_way(triangle& all) {
  co_await all.open();
  for (const auto mode :
       {transfer_mode::reliable, transfer_mode::unreliable, transfer_mode::unreliable_ordered}) {
    CAPTURE(to_string(mode));
    co_await all.first.net.async_send(2, bytes_of("to 2"), mode);
    co_await expect_packet(all.second.net, 1, mode, "to 2");
    co_await all.first.net.async_send(0, bytes_of("to all"), mode);
    co_await expect_packet(all.second.net, 1, mode, "to all");
    co_await expect_packet(all.third.net, 1, mode, "to all");  // and nothing before it
    co_await all.first.net.async_send(-2, bytes_of("to all but 2"), mode);
    co_await expect_packet(all.third.net, 1, mode, "to all but 2");
    co_await all.first.net.async_send(-9, bytes_of(""), mode);  // nobody is left out
    co_await expect_packet(all.second.net, 1, mode, "");
    co_await expect_packet(all.third.net, 1, mode, "");
  }
  CHECK_FALSE(all.first.net.try_receive().has_value());
  co_await all.first.net.async_send(2, bytes_of("reliable unless told otherwise"));
  co_await expect_packet(all.second.net, 1, transfer_mode::reliable,
                         "reliable unless told otherwise");
  co_await all.close();
}

asio::awaitable<void> refuse(mesh& net, mesh_id target, std::vector<std::uint8_t> bytes, errc code,
                             std::string words) {
  auto [refused] =
      co_await net.async_send(target, std::move(bytes), transfer_mode::reliable, as_code);
  CHECK(refused == code);
  CHECK(net.last_error_detail() == words);
}

asio::awaitable<void> refuse_by_name(triangle& all, peer_connection& never) {
  co_await all.open();
  mesh& net = all.first.net;
  co_await refuse(net, 4, bytes_of("x"), errc::peer_not_found, "async_send: there is no peer 4");
  co_await refuse(net, 1, bytes_of("x"), errc::peer_not_found, "async_send: there is no peer 1");
  co_await refuse(net, -2147483647 - 1, bytes_of("x"), errc::type_error,
                  "async_send: the target -2147483648 is below -2147483647");
  net.add_peer(std::move(never), 4);
  co_await refuse(net, 4, bytes_of("x"), errc::invalid_state,
                  "async_send: the peer 4 is not connected");
  co_await net.async_send(0, bytes_of("past 4"));  // which is left out
  co_await expect_packet(all.second.net, 1, transfer_mode::reliable, "past 4");
  CHECK(net.max_packet_size() == 262144);
  std::vector<std::uint8_t> large(262145);
  co_await refuse(net, 0, std::move(large), errc::message_too_large,
                  "async_send: the packet has 262145 bytes, the mesh takes at most 262144");
  co_await all.close();
  co_await refuse(net, 0, bytes_of("x"), errc::invalid_state, "async_send: the mesh is closed");
}

asio::awaitable<void> publish_the_largest(mesh_node& first, mesh_node& modest) {
  CHECK(first.net.max_packet_size() == 262144);
  link(first, modest);
  co_await expect_connected(first.net, 2);
  co_await expect_connected(modest.net, 1);
  CHECK(first.net.max_packet_size() == 20000);
  std::vector<std::uint8_t> largest(20000, 7);
  co_await first.net.async_send(2, largest);
  auto received = co_await modest.net.async_receive();
  REQUIRE(received.has_value());
  CHECK(received->bytes == largest);
  std::vector<std::uint8_t> larger(20001);
  co_await refuse(first.net, 0, std::move(larger), errc::message_too_large,
                  "async_send: the packet has 20001 bytes, the peer 2 takes at most 20000");
  co_await first.net.async_close();
  CHECK(first.net.max_packet_size() == 262144);
  co_await modest.net.async_close();
}

/// Budgets that 4 MiB do not fit into.
configuration tight() {
  configuration config;
  config.max_message_size = 16384;
  config.receive_budget = 65536;
  config.send_high_water = 65536;
  return config;
}

mesh_options tight_mesh() {
  mesh_options options;
  options.max_packet_size = 16384;
  options.receive_budget = 65536;
  return options;
}

constexpr std::uint32_t flood = 256;  // packets of 16 KiB

std::vector<std::uint8_t> numbered(std::uint32_t number) {
  std::vector<std::uint8_t> bytes(16384);
  bytes[0] = static_cast<std::uint8_t>(number);
  bytes[1] = static_cast<std::uint8_t>(number >> 8);
  return bytes;
}

asio::awaitable<void> send_flood(mesh& net, std::uint32_t& sent) {
  for (std::uint32_t number = 0; number < flood; ++number) {
    co_await net.async_send(0, numbered(number));
    ++sent;
  }
}

asio::awaitable<void> read_flood(mesh& net) {
  for (std::uint32_t number = 0; number < flood; ++number) {
    auto packet = co_await net.async_receive();
    REQUIRE(packet.has_value());
    REQUIRE(packet->bytes == numbered(number));
  }
}

}  // namespace

TEST_CASE("mesh: packets go to one, to all and to all but one, reliable or not, ordered or not") {
  asio::io_context context;
  triangle all(context.get_executor());
  run(context, send_each_way(all));
}

TEST_CASE("mesh: a send that cannot be is refused and says why") {
  asio::io_context context;
  triangle all(context.get_executor());
  peer_connection never(context);
  run(context, refuse_by_name(all, never));
}

TEST_CASE("mesh: the largest packet is what every connected peer takes") {
  asio::io_context context;
  configuration small;
  small.max_message_size = 20000;
  mesh_node first(context.get_executor(), 1);
  mesh_node modest(context.get_executor(), 2, mesh_options(), small);
  run(context, publish_the_largest(first, modest));
}

TEST_CASE("mesh: a reader that stops stops who sends to it, and to others, and nothing is lost") {
  asio::io_context context;
  triangle all(context.get_executor(), tight_mesh(), tight());
  run(context, all.open());
  std::uint32_t sent = 0;
  bool second_read = false;
  asio::co_spawn(context, send_flood(all.first.net, sent), asio::detached);
  asio::co_spawn(context, read_flood(all.second.net),
                 [&](std::exception_ptr failed) { second_read = !failed; });
  context.restart();
  while (sent == 0 && context.run_one() != 0) {
  }
  context.run_for(500ms);  // so much is sent in far less time where nobody is held back
  CHECK(sent < flood);
  CHECK_FALSE(second_read);
  run(context, read_flood(all.third.net));
  while (!(second_read && sent == flood) && context.run_one() != 0) {
  }
  CHECK(second_read);
  CHECK(sent == flood);
  run(context, all.close());
}

TEST_CASE("mesh: a cancelled send is taken back from everybody, or goes on") {
  asio::io_context near;
  asio::io_context far;  // where nobody acknowledges anything while it does not run
  auto patient = tight();
  patient.timeouts.disconnected = 60s;
  patient.timeouts.consent = 120s;
  mesh_node first(near.get_executor(), 1, tight_mesh(), patient);
  mesh_node second(far.get_executor(), 2, tight_mesh(), patient);
  mesh_node third(far.get_executor(), 3, tight_mesh(), patient);
  link(first, second);
  link(first, third);
  REQUIRE(run_both(near, far, [&] {
    return first.net.get_peer(2)->connected && first.net.get_peer(3)->connected &&
           second.net.get_peer(1)->connected && third.net.get_peer(1)->connected;
  }));
  std::uint32_t sent = 0;
  asio::co_spawn(near, send_flood(first.net, sent), asio::detached);
  near.restart();
  near.poll();  // until there is no room
  REQUIRE(sent < flood);
  asio::cancellation_signal stop;
  std::optional<boost::system::error_code> result;
  first.net.async_send(0, bytes_of("taken back"), transfer_mode::reliable,
                       asio::bind_cancellation_slot(
                           stop.slot(), [&](boost::system::error_code code) { result = code; }));
  stop.emit(asio::cancellation_type::terminal);
  near.restart();
  while (!result && near.run_one() != 0) {
  }
  CHECK(*result == asio::error::operation_aborted);

  std::size_t finished = 0;
  const auto done = [&](std::exception_ptr failed) {
    CHECK_FALSE(failed);
    ++finished;
  };
  asio::co_spawn(far, read_flood(second.net), done);
  asio::co_spawn(far, read_flood(third.net), done);
  REQUIRE(run_both(near, far, [&] { return finished == 2 && sent == flood; }));
  first.net.async_send(0, bytes_of("last"), transfer_mode::reliable,
                       [](boost::system::error_code code) { CHECK_FALSE(code); });
  asio::co_spawn(far, expect_packet(second.net, 1, transfer_mode::reliable, "last"), done);
  asio::co_spawn(far, expect_packet(third.net, 1, transfer_mode::reliable, "last"), done);
  CHECK(run_both(near, far, [&] { return finished == 4; }));
  end_all(near, far, first, second, third);
}

}  // namespace asiortc::test
